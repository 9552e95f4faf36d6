/**
 * Simulated systems behind real servers: Prometheus serves a block of their samples, and the lab's
 * telemetry server their log lines. An investigator uses the same tools as in a lab, with a clock
 * fixed at the time of its incident.
 *
 * One simulation holds any number of systems. Each has its own time span, so far from the next that
 * no query reads both.
 */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ManualClock, systemClock } from "../../base/clock.ts";
import { waitUntil } from "../../base/wait.ts";
import type { Alert } from "../../contract/alert.ts";
import { type Toolbox, toolboxOf } from "../toolbox.ts";
import { getJson } from "../tools/recorder.ts";
import { Toolset } from "../tools/toolset.ts";
import type { TelemetryUrls } from "../investigator.ts";
import {
  ALERT_SECONDS,
  logLinesOf,
  NOW_SECONDS,
  ONSET_SECONDS,
  samplesOf,
  spansOf,
  STEP_SECONDS,
} from "./series.ts";
import type { SystemNumbers } from "./system.ts";

const SPAN_SECONDS = 1800;
const READY_MS = 60_000;
/** Milliseconds. A server that a crashed test leaves behind ends after this time. */
const SERVER_LIFE_MS = 600_000;
const TELEMETRY_SERVER = join(import.meta.dir, "../../../observability/server/main.ts");

/** The inputs for an investigation of one system. */
export interface SimulatedCase {
  readonly onsetMs: number;
  readonly alertMs: number;
  /** Fixed at the time of the investigation. */
  readonly clock: ManualClock;
  readonly urls: TelemetryUrls;
  /** New tools with an empty record. */
  readonly tools: () => Toolset;
  /** The same for the built-in investigators. */
  readonly toolbox: () => Toolbox;
  /** The alert with the time at which it fired. */
  readonly at: (alert: Alert) => Alert;
}

export class Simulation implements AsyncDisposable {
  readonly #folder = mkdtempSync(join(tmpdir(), "simulation-"));
  readonly #processes: Bun.Subprocess[] = [];
  readonly #starts = new Map<SystemNumbers, number>();
  /** Cached replies: made-up telemetry does not change. */
  readonly #replies = new Map<string, Promise<unknown>>();
  #urls: TelemetryUrls = { grafana: "", prometheus: "", loki: "", tempo: "" };

  /** Starts the servers. Dispose of it to end them. */
  static async start(systems: readonly SystemNumbers[]): Promise<Simulation> {
    const simulation = new Simulation();
    try {
      await simulation.#start(new Set(systems));
      return simulation;
    } catch (error) {
      await simulation[Symbol.asyncDispose]();
      throw error;
    }
  }

  /** The case of a system that the simulation was started with. */
  of(system: SystemNumbers): SimulatedCase {
    const start = this.#starts.get(system);
    if (start === undefined) throw new RangeError("Cannot simulate a system that was not given");
    const urls = this.#urls;
    const clock = new ManualClock((start + NOW_SECONDS) * 1000);
    const alertMs = (start + ALERT_SECONDS) * 1000;
    const tools = (): Toolset => new Toolset({ urls, clock, get: this.#get });
    return {
      onsetMs: (start + ONSET_SECONDS) * 1000,
      alertMs,
      clock,
      urls,
      tools,
      toolbox: () => toolboxOf(tools()),
      at: (alert) => ({
        ...alert,
        alerts: alert.alerts.map((one) => ({
          ...one,
          startsAt: new Date(alertMs).toISOString(),
        })),
      }),
    };
  }

  readonly #get = (url: string): Promise<unknown> => {
    const reply = this.#replies.get(url) ?? getJson(url, undefined);
    this.#replies.set(url, reply);
    return reply;
  };

  async #start(systems: ReadonlySet<SystemNumbers>): Promise<void> {
    const endSeconds = Math.floor(systemClock.nowMs() / 60_000) * 60;
    let start = endSeconds - systems.size * SPAN_SECONDS;
    for (const system of systems) {
      this.#starts.set(system, start);
      start += SPAN_SECONDS;
    }
    const [prometheus, { loki, tempo, grafana, otlp }] = await Promise.all([
      this.#startPrometheus(),
      this.#startTelemetryServer(),
    ]);
    this.#urls = { prometheus, loki, tempo, grafana };
    await Promise.all([this.#pushLogs(otlp), this.#pushSpans(otlp)]);
  }

  async #startPrometheus(): Promise<string> {
    const file = join(this.#folder, "samples.om");
    const samples = [...this.#starts].flatMap(([system, start]) => samplesOf(system, start));
    writeFileSync(file, `${samples.join("\n")}\n# EOF\n`);
    const data = join(this.#folder, "data");
    const made = Bun.spawn(["promtool", "tsdb", "create-blocks-from", "openmetrics", file, data], {
      stdout: "ignore",
      stderr: "pipe",
    });
    if ((await made.exited) !== 0) throw new Error(await new Response(made.stderr).text());
    writeFileSync(join(this.#folder, "prometheus.yaml"), "{}");
    return this.#serve(
      [
        "prometheus",
        `--config.file=${this.#folder}/prometheus.yaml`,
        `--storage.tsdb.path=${data}`,
        "--web.listen-address=127.0.0.1:0",
        // Makes a series end when it is not scraped any more; in a lab a stale marker does this.
        `--query.lookback-delta=${2 * STEP_SECONDS}s`,
      ],
      "Prometheus",
      (log) => {
        const port = /Listening on" address=127\.0\.0\.1:(\d+)/.exec(log)?.[1];
        return log.includes("ready to receive web requests") && port !== undefined
          ? `http://127.0.0.1:${port}`
          : undefined;
      },
    );
  }

  async #startTelemetryServer(): Promise<Record<"loki" | "tempo" | "grafana" | "otlp", string>> {
    const ports = ["console", "loki", "tempo", "otlp-grpc", "otlp-http"];
    const argv = ["bun", TELEMETRY_SERVER, `--data-dir=${join(this.#folder, "store")}`];
    const ready = await this.#serve(
      [...argv, ...ports.map((name) => `--${name}-port=0`)],
      "the telemetry server",
      (log) => /^\{"event":"telemetry_server_ready".*$/m.exec(log)?.[0],
    );
    const port = JSON.parse(ready) as Record<string, number>;
    const url = (name: string): string => `http://127.0.0.1:${port[name]}`;
    return {
      loki: url("loki"),
      tempo: url("tempo"),
      grafana: url("console"),
      otlp: url("otlpHttp"),
    };
  }

  /** Starts a program and waits until `ready` finds a value in its output. */
  async #serve(
    argv: string[],
    what: string,
    ready: (log: string) => string | undefined,
  ): Promise<string> {
    const path = join(this.#folder, `${this.#processes.length}.log`);
    writeFileSync(path, "");
    const log = Bun.file(path);
    const child = Bun.spawn(argv, { stdout: log, stderr: log, timeout: SERVER_LIFE_MS });
    this.#processes.push(child);
    const found = await waitUntil(
      () => {
        const text = readFileSync(path, "utf8");
        const value = ready(text);
        const seen = text.slice(-300);
        return value === undefined ? { ok: false, seen } : { ok: true, seen, value };
      },
      { what, deadlineMs: READY_MS, intervalMs: 20 },
    );
    return found ?? "";
  }

  async #pushLogs(otlp: string): Promise<void> {
    const lines = [...this.#starts].flatMap(([system, start]) => logLinesOf(system, start));
    const resourceLogs = lines.map(({ service, atSeconds, line }) => ({
      resource: resourceOf(service),
      scopeLogs: [
        { logRecords: [{ timeUnixNano: nanoseconds(atSeconds), body: { stringValue: line } }] },
      ],
    }));
    await push(`${otlp}/v1/logs`, { resourceLogs });
  }

  async #pushSpans(otlp: string): Promise<void> {
    const spans = [...this.#starts].flatMap(([system, start]) => spansOf(system, start));
    const resourceSpans = spans.map(({ service, name, atSeconds, durationMs }, index) => ({
      resource: resourceOf(service),
      scopeSpans: [
        {
          spans: [
            {
              traceId: (index + 1).toString(16).padStart(32, "0"),
              spanId: (index + 1).toString(16).padStart(16, "0"),
              name,
              kind: 1,
              startTimeUnixNano: nanoseconds(atSeconds),
              endTimeUnixNano: nanoseconds(atSeconds + durationMs / 1000),
            },
          ],
        },
      ],
    }));
    await push(`${otlp}/v1/traces`, { resourceSpans });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const child of this.#processes) child.kill("SIGKILL");
    await Promise.all(this.#processes.map((child) => child.exited));
    rmSync(this.#folder, { recursive: true, force: true });
  }
}

const nanoseconds = (seconds: number): string => `${BigInt(Math.round(seconds * 1e6)) * 1000n}`;

const resourceOf = (service: string) => ({
  attributes: [{ key: "service.name", value: { stringValue: service } }],
});

/** Sends telemetry over OTLP. */
async function push(url: string, body: object): Promise<void> {
  const reply = await fetch(url, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(body),
  });
  if (!reply.ok) throw new Error(`HTTP ${reply.status}: ${await reply.text()}`);
}
