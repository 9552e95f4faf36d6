/**
 * A telemetry server of its own for each test file, and short ways to write to it and to ask it.
 */
import { afterAll } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ManualClock } from "../../../lib/base/clock.ts";
import { parseFlags } from "../flags.ts";
import { startServer, type TelemetryServer } from "../server.ts";

/** The servers' clock stands here, so that times in expectations are plain numbers. */
export const NOW_MS = Date.UTC(2026, 0, 2, 3, 4, 0);
export const NOW_NS = BigInt(NOW_MS) * 1_000_000n;
export const OWNER_TOKEN = "the-owner";

export interface LogInput {
  readonly service?: string;
  /** Seconds after NOW_MS. */
  readonly at?: number;
  readonly body: string;
  readonly attributes?: Readonly<Record<string, string>>;
}

export interface SpanInput {
  readonly service?: string;
  readonly trace: string;
  readonly id: string;
  readonly parent?: string;
  readonly name: string;
  /** Seconds after NOW_MS. */
  readonly at?: number;
  readonly ms?: number;
  readonly kind?: number;
  readonly status?: { readonly code: number; readonly message?: string };
  readonly attributes?: Readonly<Record<string, string | number | boolean>>;
}

export interface Reply {
  readonly status: number;
  readonly text: string;
  readonly json: () => Record<string, unknown>;
}

export class TestServer implements AsyncDisposable {
  readonly clock = new ManualClock(NOW_MS);
  readonly folder = mkdtempSync(join(tmpdir(), "telemetry-server-"));
  #server: TelemetryServer | undefined;

  /** Starts a server on free ports. */
  static async start(prometheusUrl = "http://127.0.0.1:9"): Promise<TestServer> {
    const one = new TestServer();
    const flags = parseFlags([
      `--data-dir=${one.folder}`,
      `--prometheus-url=${prometheusUrl}`,
      ...["console", "loki", "tempo", "otlp-grpc", "otlp-http"].map((name) => `--${name}-port=0`),
    ]);
    one.#server = await startServer(flags, { clock: one.clock, ownerToken: OWNER_TOKEN });
    return one;
  }

  /** Starts a server for the tests of one file; it ends after them. */
  static async forFile(prometheusUrl?: string): Promise<TestServer> {
    const one = await TestServer.start(prometheusUrl);
    afterAll(() => one[Symbol.asyncDispose]());
    return one;
  }

  get server(): TelemetryServer {
    if (this.#server === undefined) throw new Error("the server has not been started");
    return this.#server;
  }

  url(surface: keyof TelemetryServer["ports"]): string {
    return `http://127.0.0.1:${this.server.ports[surface]}`;
  }

  /** GETs a path with parameters. */
  async get(
    surface: keyof TelemetryServer["ports"],
    path: string,
    params: Readonly<Record<string, string>> = {},
    init: RequestInit = {},
  ): Promise<Reply> {
    const query = new URLSearchParams(params).toString();
    const reply = await fetch(
      `${this.url(surface)}${path}${query === "" ? "" : `?${query}`}`,
      init,
    );
    const text = await reply.text();
    return { status: reply.status, text, json: () => JSON.parse(text) as Record<string, unknown> };
  }

  async pushLogs(logs: readonly LogInput[]): Promise<void> {
    const resourceLogs = logs.map(
      ({ service = "radar-sensor", at = 0, body, attributes = {} }) => ({
        resource: { attributes: attributesOf({ "service.name": service }) },
        scopeLogs: [
          {
            logRecords: [
              {
                timeUnixNano: timeText(at),
                body: { stringValue: body },
                attributes: attributesOf(attributes),
              },
            ],
          },
        ],
      }),
    );
    await this.#push("/v1/logs", { resourceLogs });
  }

  async pushSpans(spans: readonly SpanInput[]): Promise<void> {
    const resourceSpans = spans.map((span) => ({
      resource: { attributes: attributesOf({ "service.name": span.service ?? "radar-sensor" }) },
      scopeSpans: [
        {
          scope: { name: "test" },
          spans: [
            {
              traceId: span.trace.padStart(32, "0"),
              spanId: span.id.padStart(16, "0"),
              ...(span.parent === undefined ? {} : { parentSpanId: span.parent.padStart(16, "0") }),
              name: span.name,
              kind: span.kind ?? 1,
              startTimeUnixNano: timeText(span.at ?? 0),
              endTimeUnixNano: timeText((span.at ?? 0) + (span.ms ?? 1) / 1000),
              attributes: attributesOf(span.attributes ?? {}),
              ...(span.status === undefined ? {} : { status: span.status }),
            },
          ],
        },
      ],
    }));
    await this.#push("/v1/traces", { resourceSpans });
  }

  async #push(path: string, body: unknown): Promise<void> {
    const reply = await this.get(
      "otlpHttp",
      path,
      {},
      {
        method: "POST",
        headers: { "content-type": "application/json" },
        body: JSON.stringify(body),
      },
    );
    if (reply.text !== "{}") throw new Error(`HTTP ${reply.status}: ${reply.text}`);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#server?.close();
    rmSync(this.folder, { recursive: true, force: true });
  }
}

const timeText = (at: number): string => String(NOW_NS + BigInt(Math.round(at * 1e9)));

function attributesOf(values: Readonly<Record<string, string | number | boolean>>): unknown[] {
  return Object.entries(values).map(([key, value]) => ({
    key,
    value:
      typeof value === "string"
        ? { stringValue: value }
        : typeof value === "boolean"
          ? { boolValue: value }
          : { intValue: String(value) },
  }));
}
