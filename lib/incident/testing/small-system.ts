/**
 * A system that runs on any machine: one exporter, a real Prometheus with a rule that fires, and
 * the telemetry server. It can be frozen like a lab.
 */
import { Database } from "bun:sqlite";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { systemClock } from "../../base/clock.ts";
import { waitUntil } from "../../base/wait.ts";
import { type Alert, AlertSchema } from "../../contract/alert.ts";
import { ALERT_RULES_FILE } from "../../contract/alert-rules.ts";
import type { Lab } from "../../lab/lab.ts";
import { PROMETHEUS_READY, startServed } from "../programs.ts";

const PROJECT = new URL("../../..", import.meta.url).pathname.replace(/\/$/, "");

export const RULES_TEXT = await Bun.file(`${PROJECT}/${ALERT_RULES_FILE}`).text();

export const SMALL_ALERT: Alert = AlertSchema.parse({
  ...(await Bun.file(`${PROJECT}/scenarios/sensor-down/alert.json`).json()),
});

const CONFIG = {
  global: { scrape_interval: "500ms", scrape_timeout: "500ms", evaluation_interval: "500ms" },
  rule_files: ["rules.yml"],
};
const RULES = {
  groups: [
    { name: "small", rules: [{ alert: "Broken", expr: "broken == 1", labels: { uid: "broken" } }] },
  ],
};

export class SmallSystem implements AsyncDisposable {
  readonly folder = mkdtempSync(join(tmpdir(), "small-system-"));
  readonly #stack = new AsyncDisposableStack();
  prometheus = "";
  loki = "";
  #otlp = "";
  /** Value of the metric `broken`. */
  broken = 0;
  /** Called when the freeze asks for the telemetry server's database. */
  onStoreAsked: () => Promise<void> = () => Promise.resolve();

  static async start(): Promise<SmallSystem> {
    const system = new SmallSystem();
    try {
      await system.#begin();
      return system;
    } catch (error) {
      await system[Symbol.asyncDispose]();
      throw error;
    }
  }

  async #begin(): Promise<void> {
    this.#stack.defer(() => rmSync(this.folder, { recursive: true, force: true }));
    const exporter = Bun.serve({ port: 0, hostname: "127.0.0.1", fetch: () => this.#metrics() });
    this.#stack.defer(() => exporter.stop(true));
    const target = exporter.url.host;
    const config = {
      ...CONFIG,
      scrape_configs: [{ job_name: "small", static_configs: [{ targets: [target] }] }],
    };
    writeFileSync(join(this.folder, "prometheus.yml"), JSON.stringify(config));
    writeFileSync(join(this.folder, "rules.yml"), JSON.stringify(RULES));
    mkdirSync(join(this.folder, "telemetry"));
    const prometheus = await startServed({
      name: "prometheus",
      argv: [
        "prometheus",
        "--config.file=prometheus.yml",
        "--storage.tsdb.path=data",
        "--web.listen-address=127.0.0.1:0",
        "--web.enable-admin-api",
        "--query.lookback-delta=2m",
      ],
      cwd: this.folder,
      ready: PROMETHEUS_READY,
    });
    this.#stack.use(prometheus);
    this.prometheus = `http://127.0.0.1:${prometheus.match[1]}`;
    const ports = ["console", "loki", "tempo", "otlp-grpc", "otlp-http"];
    const telemetry = await startServed({
      name: "the telemetry server",
      argv: [
        process.execPath,
        `${PROJECT}/observability/server/main.ts`,
        `--data-dir=${this.folder}/telemetry`,
        `--prometheus-url=${this.prometheus}`,
        ...ports.map((name) => `--${name}-port=0`),
      ],
      cwd: PROJECT,
      ready: /\{"event":"telemetry_server_ready".*\}/,
    });
    this.#stack.use(telemetry);
    const { loki, otlpHttp } = JSON.parse(telemetry.match[0]) as { loki: number; otlpHttp: number };
    this.loki = `http://127.0.0.1:${loki}`;
    this.#otlp = `http://127.0.0.1:${otlpHttp}`;
  }

  #metrics(): Response {
    return new Response(
      `# HELP broken Whether it is.\n# TYPE broken gauge\nbroken ${this.broken}\n` +
        'container_state{name="radar-sensor",state="running"} 1\n',
    );
  }

  /** Stores one log line with its time; seconds from now. */
  async log(body: string, inSeconds: number): Promise<void> {
    const timeUnixNano = `${systemClock.nowMs() + inSeconds * 1000}000000`;
    const attributes = [{ key: "service.name", value: { stringValue: "radar-sensor" } }];
    const logRecords = [{ timeUnixNano, body: { stringValue: body } }];
    const resourceLogs = [{ resource: { attributes }, scopeLogs: [{ logRecords }] }];
    await this.#push("logs", { resourceLogs });
  }

  /** Waits until the server finds a line of the last minutes. */
  async stores(body: string): Promise<void> {
    const query = `query={service_name="radar-sensor"}&start=${systemClock.nowMs() - 600_000}000000`;
    await waitUntil(
      async () => {
        const reply = await fetch(`${this.loki}/loki/api/v1/query_range?${query}`);
        const seen = await reply.text();
        return { ok: seen.includes(body), seen };
      },
      { what: "the line in the store", deadlineMs: 10_000, intervalMs: 50 },
    );
  }

  /** Stores one span that ended then; seconds from now. */
  async span(traceId: string, inSeconds: number): Promise<void> {
    const endMs = systemClock.nowMs() + inSeconds * 1000;
    const attributes = [{ key: "service.name", value: { stringValue: "radar-sensor" } }];
    const span = {
      traceId,
      spanId: traceId.slice(0, 16),
      name: "sensor.scan.RADAR-1",
      kind: 1,
      startTimeUnixNano: `${endMs - 5}000000`,
      endTimeUnixNano: `${endMs}000000`,
    };
    const scopeSpans = [{ scope: { name: "cms" }, spans: [span] }];
    await this.#push("traces", { resourceSpans: [{ resource: { attributes }, scopeSpans }] });
  }

  async #push(signal: "logs" | "traces", body: unknown): Promise<void> {
    const reply = await fetch(`${this.#otlp}/v1/${signal}`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify(body),
    });
    if (!reply.ok) throw new Error(`The ${signal} were not taken: ${await reply.text()}`);
  }

  /** A marker of the lab's owner, which is part of the truth. */
  mark(text: string): void {
    const store = new Database(join(this.folder, "telemetry", "telemetry.sqlite"));
    store.query("INSERT INTO markers (time_ms, kind, text) VALUES (1, 'fault', ?)").run(text);
    store.close();
  }

  /** Breaks it, and waits until its alert fires. */
  async break(): Promise<void> {
    this.broken = 1;
    await waitUntil(
      async () => {
        const text = await (await fetch(`${this.prometheus}/api/v1/alerts`)).text();
        return { ok: text.includes('"state":"firing"'), seen: text };
      },
      { what: "the alert", deadlineMs: 20_000, intervalMs: 50 },
    );
  }

  /** The part of a lab that freezing needs. */
  lab(): Lab {
    const snapshot: Lab["snapshot"] = async () => {
      const url = `${this.prometheus}/api/v1/admin/tsdb/snapshot`;
      const reply = await fetch(url, { method: "POST" });
      const { data } = (await reply.json()) as { data: { name: string } };
      const prometheusBlocks = join(this.folder, "data", "snapshots", data.name);
      return {
        prometheusBlocks,
        telemetryStore: async () => {
          await this.onStoreAsked();
          return join(this.folder, "telemetry", "telemetry.sqlite");
        },
        [Symbol.dispose]: () => rmSync(prometheusBlocks, { recursive: true }),
      };
    };
    const port = Number(new URL(this.prometheus).port);
    return { engine: "native", ports: { prometheus: port }, snapshot } as unknown as Lab;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#stack.disposeAsync();
  }
}
