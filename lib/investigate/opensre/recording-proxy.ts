/**
 * A proxy in front of Grafana that records every request, in the form of the tools' record, so that
 * citations can be checked. It listens on 127.0.0.2, because some agents try to set up 127.0.0.1.
 */
import { boundedText } from "../../base/bounded-body.ts";
import { type Clock, systemClock } from "../../base/clock.ts";
import { messageOf } from "../../base/errors.ts";
import type { EvidenceRecord } from "../../contract/answer.ts";
import type { Fact } from "../../contract/citation.ts";
import { readsTelemetry } from "../../contract/telemetry-api.ts";
import { guard } from "../external/request-guard.ts";
import { logql } from "../tools/loki.ts";
import { instant, range } from "../tools/promql.ts";
import { trace, traceql } from "../tools/tempo.ts";

const HOST = "127.0.0.2";
const UPSTREAM_TIMEOUT_MS = 20_000;
/** Maximum requests of one examination; every answer is kept. */
const MAX_REQUESTS = 300;
const MAX_ANSWER_CHARACTERS = 200_000;

export interface RecordingProxy extends AsyncDisposable {
  /** With a token, without a trailing slash. */
  readonly url: string;
  readonly hostname: string;
  readonly port: number;
  /** Every request so far. */
  readonly records: readonly EvidenceRecord[];
  /** Number of requests that read metrics, logs or traces. */
  readonly telemetryCalls: () => number;
  /** Number of requests refused because they do not only read. */
  readonly refused: () => number;
}

/** Serves the readable part of `grafana` (a base URL) and records it; `note` receives refusals. */
export function serveRecording(
  grafana: string,
  clock: Clock = systemClock,
  note: (line: string) => void = () => {},
): RecordingProxy {
  const records: EvidenceRecord[] = [];
  let telemetryCalls = 0;
  const record = async (request: Request, pathname: string): Promise<Response> => {
    if (!readsTelemetry("grafana", request.method, pathname) || records.length >= MAX_REQUESTS) {
      return Response.json({ message: "only reading is open" }, { status: 403 });
    }
    const { search } = new URL(request.url);
    const askedMs = clock.nowMs();
    const startedMs = performance.now();
    const { status, text, type } = await forward(request, `${grafana}${pathname}${search}`);
    const facts = await factsIn(pathname, new URLSearchParams(search), text, askedMs);
    if (facts !== undefined) telemetryCalls++;
    const ok = status < 400;
    records.push({
      id: `E${records.length + 1}`,
      tool: "grafana",
      arguments: { path: `${pathname}${search}` },
      request: [{ method: request.method, url: `${grafana}${pathname}${search}` }],
      window: null,
      asked_unix_ms: askedMs,
      duration_ms: Math.round(performance.now() - startedMs),
      ok,
      answer: ok
        ? JSON.stringify({ facts: facts ?? [], body: text.slice(0, MAX_ANSWER_CHARACTERS) })
        : text.slice(0, MAX_ANSWER_CHARACTERS),
    });
    return new Response(text, { status, headers: { "content-type": type } });
  };
  const { url, hostname, port, refused, ...guarded } = guard(record, { hostname: HOST, note });
  return {
    url,
    hostname,
    port,
    records,
    refused,
    telemetryCalls: () => telemetryCalls,
    [Symbol.asyncDispose]: () => guarded[Symbol.asyncDispose](),
  };
}

async function forward(
  request: Request,
  url: string,
): Promise<{ status: number; text: string; type: string }> {
  try {
    const upstream = await fetch(url, {
      method: request.method,
      headers: { accept: "application/json", ...contentType(request) },
      ...(request.body === null ? {} : { body: await request.arrayBuffer() }),
      signal: AbortSignal.timeout(UPSTREAM_TIMEOUT_MS),
    });
    const type = upstream.headers.get("content-type") ?? "application/json";
    return { status: upstream.status, text: await boundedText(upstream), type };
  } catch (error) {
    return {
      status: 502,
      text: JSON.stringify({ message: messageOf(error) }),
      type: "application/json",
    };
  }
}

function contentType(request: Request): Record<string, string> {
  const type = request.headers.get("content-type");
  return type === null ? {} : { "content-type": type };
}

/** The facts in an answer of Prometheus, Loki or Tempo; undefined for other paths. */
async function factsIn(
  path: string,
  query: URLSearchParams,
  text: string,
  nowMs: number,
): Promise<readonly Fact[] | undefined> {
  const read = readerOf(path, query, nowMs);
  if (read === undefined) return undefined;
  try {
    const body: unknown = JSON.parse(text);
    return await read(() => Promise.resolve(body));
  } catch {
    // An answer of another shape, such as an error, has no facts; the record keeps its text.
    return [];
  }
}

type Read = (get: () => Promise<unknown>) => Promise<readonly Fact[]>;

function readerOf(path: string, query: URLSearchParams, nowMs: number): Read | undefined {
  const expr = query.get("query") ?? query.get("q") ?? "";
  const window = { startMs: 0, endMs: nowMs };
  if (path.endsWith("/api/v1/query")) return (get) => instant(get, "", expr, nowMs, "now");
  if (path.endsWith("/loki/api/v1/query_range") || path.endsWith("/loki/api/v1/query")) {
    return async (get) => (await logql(get, "", expr, window, 1)).facts;
  }
  if (path.endsWith("/api/v1/query_range")) {
    return async (get) => (await range(get, "", expr, window, 1)).facts;
  }
  if (path.endsWith("/api/search")) {
    return async (get) => (await traceql(get, "", expr, window, 1)).facts;
  }
  const traceId = /\/api\/traces\/([0-9a-f]+)$/.exec(path)?.[1];
  return traceId === undefined ? undefined : async (get) => (await trace(get, "", traceId)).facts;
}
