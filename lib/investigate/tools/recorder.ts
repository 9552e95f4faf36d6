/** Records every call: arguments, requests and the full answer. */
import { boundedText } from "../../base/bounded-body.ts";
import { type Clock, systemClock } from "../../base/clock.ts";
import { messageOf } from "../../base/errors.ts";
import type { EvidenceRecord } from "../../contract/answer.ts";
import type { Fact } from "../../contract/citation.ts";

/** Unix milliseconds. */
export interface Window {
  readonly startMs: number;
  readonly endMs: number;
}

/** The result of a tool: facts that can be cited, and notes for a reader. */
export interface ToolResult {
  readonly facts: readonly Fact[];
  /** For a reader: what was searched and what was cut. */
  readonly notes?: readonly string[];
  readonly window?: Window;
}

/** Asks an HTTP API; every request is kept for the record. */
export type Fetch = (url: string) => Promise<unknown>;

/** The API's own error, in full. */
export class ToolError extends Error {
  override readonly name = "ToolError";
}

const REQUEST_TIMEOUT_MS = 10_000;

export interface RecorderOptions {
  readonly clock?: Clock;
  readonly signal?: AbortSignal;
  /** Makes the request; absent: `getJson`. */
  readonly get?: typeof getJson;
}

export class Recorder {
  readonly records: EvidenceRecord[] = [];
  readonly #clock: Clock;
  readonly #signal: AbortSignal | undefined;
  readonly #get: typeof getJson;

  constructor({ clock = systemClock, signal, get = getJson }: RecorderOptions = {}) {
    this.#clock = clock;
    this.#signal = signal;
    this.#get = get;
  }

  /**
   * Runs a call, or returns the record of the same call unless it is made `again`. A failure is
   * recorded too.
   */
  async call(
    tool: string,
    args: Readonly<Record<string, unknown>>,
    body: (get: Fetch) => Promise<ToolResult>,
    { again = false }: { readonly again?: boolean } = {},
  ): Promise<EvidenceRecord> {
    const key = JSON.stringify(args);
    const before = again
      ? undefined
      : this.records.find(
          (record) => record.tool === tool && JSON.stringify(record.arguments) === key,
        );
    if (before !== undefined) return before;
    const askedMs = this.#clock.nowMs();
    const startedMs = performance.now();
    const request: { method: string; url: string }[] = [];
    const get: Fetch = (url) => {
      request.push({ method: "GET", url });
      return this.#get(url, this.#signal);
    };
    const outcome = await settle(() => body(get));
    this.#signal?.throwIfAborted();
    const { window } = outcome;
    const record: EvidenceRecord = {
      id: `E${this.records.length + 1}`,
      tool,
      arguments: { ...args },
      request,
      window:
        window === undefined ? null : { start_unix_ms: window.startMs, end_unix_ms: window.endMs },
      asked_unix_ms: askedMs,
      duration_ms: Math.round((performance.now() - startedMs) * 10) / 10,
      ok: outcome.ok,
      answer: outcome.answer,
    };
    this.records.push(record);
    return record;
  }
}

async function settle(
  body: () => Promise<ToolResult>,
): Promise<{ ok: boolean; answer: string; window?: ToolResult["window"] }> {
  try {
    const { facts, notes = [], window } = await body();
    const answer = JSON.stringify(notes.length === 0 ? { facts } : { facts, notes });
    return { ok: true, answer, ...(window === undefined ? {} : { window }) };
  } catch (error) {
    return { ok: false, answer: messageOf(error) };
  }
}

/** GETs JSON; throws ToolError with the API's own words when it refuses. */
export async function getJson(url: string, signal: AbortSignal | undefined): Promise<unknown> {
  const timeout = AbortSignal.timeout(REQUEST_TIMEOUT_MS);
  const response = await fetch(url, {
    signal: signal === undefined ? timeout : AbortSignal.any([timeout, signal]),
  });
  const text = await boundedText(response);
  if (!response.ok && !text.startsWith("{")) {
    throw new ToolError(`GET ${url} answered ${response.status}: ${text.slice(0, 1000)}`);
  }
  let body: unknown;
  try {
    body = JSON.parse(text);
  } catch (error) {
    throw new ToolError(`GET ${url} answered no JSON: ${text.slice(0, 300)}`, { cause: error });
  }
  const { status, error } = body as { status?: unknown; error?: unknown };
  if (!response.ok || status === "error") {
    throw new ToolError(
      `GET ${url} answered ${response.status}: ${typeof error === "string" ? error : text}`,
    );
  }
  return body;
}
