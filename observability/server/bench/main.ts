/**
 * Measures how fast the telemetry server ingests and answers: the real process, over its real
 * ports.
 *
 * Run: bun observability/server/bench/main.ts [--seconds=60] [--rows=5000000]. Prints one JSON
 * object a line: name, value, unit, reference (the requirement) and ratio (value / reference). It
 * takes minutes with the defaults.
 */
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Client, credentials } from "@grpc/grpc-js";
import { systemClock } from "../../../lib/base/clock.ts";
import { UsageError } from "../../../lib/base/errors.ts";
import { median, printFigure } from "../../../lib/base/figure.ts";
import { waitUntil } from "../../../lib/base/wait.ts";
import { useOf } from "../../../lib/lab/native/host-processes.ts";
import { type Signal, SIGNALS } from "../otlp/descriptor.ts";
import { DEFAULT_LIMITS } from "../store/retention.ts";
import { Store } from "../store/store.ts";

const SPANS_PER_SECOND = 10_000;
const LOGS_PER_SECOND = 2000;
const BATCH = 500;
/** Maximum memory of the server under that load, and maximum time of a query. */
const MEMORY_LIMIT_MB = 400;
const QUERY_LIMIT_MS = 50;
const START_LIMIT_MS = 300;

interface Ports {
  readonly loki: number;
  readonly tempo: number;
  readonly console: number;
  readonly otlpGrpc: number;
}

class ServerProcess implements AsyncDisposable {
  readonly #child: Bun.Subprocess<"ignore", "pipe", "inherit">;
  readonly ports: Ports;
  readonly startedMs: number;

  constructor(child: Bun.Subprocess<"ignore", "pipe", "inherit">, ports: Ports, startedMs: number) {
    this.#child = child;
    this.ports = ports;
    this.startedMs = startedMs;
  }

  static async start(folder: string): Promise<ServerProcess> {
    const began = performance.now();
    const surfaces = ["console", "loki", "tempo", "otlp-grpc", "otlp-http"];
    const child = Bun.spawn(
      [
        process.execPath,
        join(import.meta.dir, "../main.ts"),
        `--data-dir=${folder}`,
        ...surfaces.map((name) => `--${name}-port=0`),
      ],
      { stdin: "ignore", stdout: "pipe", stderr: "inherit" },
    );
    const { value } = await child.stdout.getReader().read();
    const ports = JSON.parse(new TextDecoder().decode(value)) as Ports;
    return new ServerProcess(child, ports, performance.now() - began);
  }

  /** Resident memory, MB. */
  memoryMb(): number {
    const status = readFileSync(`/proc/${this.#child.pid}/status`, "utf8");
    return Number(/VmRSS:\s+(\d+)/.exec(status)?.[1] ?? 0) / 1024;
  }

  /** Processor time used so far, seconds. */
  cpuSeconds(): number {
    return useOf([this.#child.pid]).cpuSeconds;
  }

  async stored(): Promise<{ spans: number; logs: number; longestCommitMs: number }> {
    const text = await (await fetch(`http://127.0.0.1:${this.ports.console}/metrics`)).text();
    const read = (name: string): number =>
      Number(new RegExp(`^${name} (\\S+)$`, "m").exec(text)?.[1] ?? 0);
    return {
      spans: read("telemetry_server_spans_stored_total"),
      logs: read("telemetry_server_logs_stored_total"),
      longestCommitMs: read("telemetry_server_longest_commit_seconds") * 1000,
    };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#child.kill("SIGTERM");
    await this.#child.exited;
  }
}

const SERVICES = ["radar-sensor", "track-fusion", "threat-evaluator", "tactical-display"];
const attribute = (key: string, stringValue: string): unknown => ({ key, value: { stringValue } });

/** A request of BATCH items like those of lab services, with new ids and the present time. */
function makeRequest(signal: Signal, serial: number): Buffer {
  const service = SERVICES[serial % SERVICES.length] ?? "";
  const resource = {
    attributes: [attribute("service.name", service), attribute("service.version", "1")],
  };
  const nowNs = BigInt(systemClock.nowMs()) * 1_000_000n;
  const time = nowNs.toString();
  const items = Array.from({ length: BATCH }, (_, index) => {
    if (signal === "logs") {
      const body = JSON.stringify({
        event: "tactical_track_contributors_changed",
        level: "INFO",
        service,
        n: index,
        track_id: `T-${index % 3}`,
      });
      return {
        timeUnixNano: time,
        severityNumber: 9,
        severityText: "INFO",
        body: { stringValue: body },
        attributes: [attribute("event.name", "x")],
      };
    }
    return {
      traceId: crypto.getRandomValues(Buffer.alloc(16)).toString("base64"),
      spanId: crypto.getRandomValues(Buffer.alloc(8)).toString("base64"),
      parentSpanId: crypto.getRandomValues(Buffer.alloc(8)).toString("base64"),
      name: "fusion.ingest",
      kind: 5,
      startTimeUnixNano: time,
      endTimeUnixNano: (nowNs + 200_000n).toString(),
      attributes: [
        attribute("tactical_track_id", `T-${index % 3}`),
        attribute("sensor.id", "RADAR-1"),
      ],
    };
  });
  const type = SIGNALS[signal].request;
  const message =
    signal === "logs"
      ? { resourceLogs: [{ resource, scopeLogs: [{ scope: { name: "cms" }, logRecords: items }] }] }
      : { resourceSpans: [{ resource, scopeSpans: [{ scope: { name: "cms" }, spans: items }] }] };
  return Buffer.from(type.encode(type.fromObject(message)).finish());
}

/** Sends at the required rates for `seconds`; returns the number of acknowledged items. */
async function load(
  server: ServerProcess,
  seconds: number,
): Promise<{ spans: number; logs: number; peakMb: number }> {
  const client = new Client(`127.0.0.1:${server.ports.otlpGrpc}`, credentials.createInsecure());
  const raw = (bytes: Buffer): Buffer => bytes;
  const send = (signal: Signal, serial: number): Promise<boolean> =>
    new Promise((resolve) => {
      const path = `/${SIGNALS[signal].grpcService}/Export`;
      client.makeUnaryRequest(path, raw, raw, makeRequest(signal, serial), (error) =>
        resolve(error === null),
      );
    });
  const acknowledged = { spans: 0, logs: 0 };
  let peakMb = 0;
  const spanTicks = SPANS_PER_SECOND / BATCH;
  const perLog = Math.round(SPANS_PER_SECOND / LOGS_PER_SECOND);
  const began = performance.now();
  const pending: Promise<unknown>[] = [];
  for (let tick = 0; tick < seconds * spanTicks; tick += 1) {
    const due = began + (tick * 1000) / spanTicks;
    const wait = due - performance.now();
    if (wait > 0) await systemClock.sleep(wait);
    pending.push(send("traces", tick).then((ok) => (acknowledged.spans += ok ? BATCH : 0)));
    if (tick % perLog === 0) {
      pending.push(send("logs", tick).then((ok) => (acknowledged.logs += ok ? BATCH : 0)));
    }
    if (tick % spanTicks === 0) peakMb = Math.max(peakMb, server.memoryMb());
  }
  await Promise.all(pending);
  client.close();
  printFigure(
    "send rate kept",
    (acknowledged.spans + acknowledged.logs) / ((performance.now() - began) / 1000),
    "items/s",
    SPANS_PER_SECOND + LOGS_PER_SECOND,
  );
  return { ...acknowledged, peakMb };
}

async function benchIngest(folder: string, seconds: number): Promise<void> {
  await using server = await ServerProcess.start(folder);
  printFigure("start to listening", server.startedMs, "ms", START_LIMIT_MS);
  const cpuBefore = server.cpuSeconds();
  const { spans, logs, peakMb } = await load(server, seconds);
  await waitUntil(
    async () => {
      const stored = await server.stored();
      return { ok: stored.spans >= spans && stored.logs >= logs, seen: JSON.stringify(stored) };
    },
    { what: "all acknowledged items in the store", deadlineMs: 10_000 },
  );
  const stored = await server.stored();
  printFigure("spans stored", stored.spans, "spans", SPANS_PER_SECOND * seconds);
  printFigure("log records stored", stored.logs, "records", LOGS_PER_SECOND * seconds);
  printFigure("acknowledged but lost", spans + logs - stored.spans - stored.logs, "items", 1);
  printFigure("processor used", (server.cpuSeconds() - cpuBefore) / seconds, "cores", 1);
  printFigure("peak memory", peakMb, "MB", MEMORY_LIMIT_MB);
  printFigure("longest commit", stored.longestCommitMs, "ms", 250);
}

/** Writes rows directly into the store, with times up to now at the lab's own rates. */
function fill(folder: string, rows: number): void {
  const nowMs = systemClock.nowMs();
  let atMs = nowMs;
  const clock = { ...systemClock, nowMs: () => atMs };
  using store = new Store({
    folder,
    clock,
    limits: { ...DEFAULT_LIMITS, maxBytes: Number.MAX_SAFE_INTEGER },
  });
  const origins = SERVICES.map((service) => ({
    service,
    resource: JSON.stringify({ attributes: [attribute("service.name", service)] }),
    scope: '{"name":"cms","version":""}',
  }));
  const [fallback] = origins;
  if (fallback === undefined) throw new RangeError("there are no services");
  // Four spans and one line in each group; a group every 2.5 ms is 1,600 spans and 400 lines a
  // second.
  const groups = Math.floor(rows / 5);
  for (let group = 0; group < groups; group += 1) {
    atMs = nowMs - Math.round((groups - group) * 2.5);
    const timeNs = BigInt(atMs) * 1_000_000n;
    const traceId = crypto.getRandomValues(Buffer.alloc(16)).toString("hex");
    store.addSpans(
      origins.map((origin, index) => ({
        origin,
        traceId,
        spanId: (group * 4 + index + 1).toString(16).padStart(16, "0"),
        parentId: index === 0 ? "" : (group * 4 + index).toString(16).padStart(16, "0"),
        name: `step.${index}`,
        kind: 1,
        status: group % 1000 === 0 ? 2 : 0,
        startNs: timeNs,
        durationNs: BigInt((group % 50) * 100_000),
        attributes: JSON.stringify([attribute("tactical_track_id", `T-${group % 3}`)]),
        rest: "",
      })),
    );
    const service = SERVICES[group % SERVICES.length] ?? "";
    store.addLogs([
      {
        labels: JSON.stringify({ service_name: service }),
        timeNs,
        line: JSON.stringify({
          event: group % 100 === 0 ? "rare_event" : "tick",
          level: "INFO",
          service,
          n: group,
        }),
        metadata: JSON.stringify({ detected_level: "info", trace_id: traceId }),
      },
    ]);
  }
}

async function timed(url: string, isGood: (body: string) => boolean): Promise<number> {
  const times: number[] = [];
  for (let run = 0; run < 15; run += 1) {
    const began = performance.now();
    const reply = await fetch(url);
    const body = await reply.text();
    times.push(performance.now() - began);
    if (reply.status !== 200 || !isGood(body))
      throw new Error(`${url}: HTTP ${reply.status}: ${body.slice(0, 300)}`);
  }
  return median(times);
}

async function benchQueries(folder: string, rows: number): Promise<void> {
  const file = join(folder, "telemetry.sqlite");
  const began = performance.now();
  if (!existsSync(file)) fill(folder, rows);
  printFigure(
    "rows filled per second",
    rows / ((performance.now() - began) / 1000),
    "rows/s",
    SPANS_PER_SECOND + LOGS_PER_SECOND,
  );
  printFigure("bytes per row", statSync(file).size / rows, "B", 400);
  await using server = await ServerProcess.start(folder);
  printFigure("start to listening, full store", server.startedMs, "ms", START_LIMIT_MS);
  const nowMs = statSync(file).mtimeMs;
  const end = String(Math.round(nowMs / 1000));
  const start = String(Math.round(nowMs / 1000) - 120);
  const ask = (surface: "loki" | "tempo", path: string, params: Record<string, string>): string =>
    `http://127.0.0.1:${server.ports[surface]}${path}?${new URLSearchParams({ ...params, start, end }).toString()}`;
  const logs = (query: string): string =>
    ask("loki", "/loki/api/v1/query_range", { query, step: "5", limit: "100" });
  const spans = (q: string): string => ask("tempo", "/api/search", { q });
  const filled = (body: string): boolean => !/"(result|traces)":\[\]/.test(body);
  const queries: [string, string][] = [
    ["Loki: one service", logs('{service_name="track-fusion"}')],
    ["Loki: one service, JSON filter", logs('{service_name="track-fusion"} | json | event="tick"')],
    ["Loki: all services, rare text", logs('{service_name=~".+"} |= "rare_event"')],
    ["Loki: all services, pattern", logs('{service_name=~".+"} |~ "rare_[a-z]+"')],
    ["Loki: all services, no case", logs('{service_name=~".+"} |~ "(?i)RARE_(EVENT|NEWS)"')],
    [
      "Loki: all services, JSON, pattern of a label",
      logs('{service_name=~"(radar|eo)-.+|track-.*"} | json | event=~"rare_.*"'),
    ],
    ["Tempo: one service", spans('{ resource.service.name = "track-fusion" }')],
    [
      "Tempo: one service, attribute",
      spans('{ resource.service.name = "track-fusion" && span.tactical_track_id = "T-1" }'),
    ],
    [
      "Tempo: all services, pattern",
      spans(
        '{ resource.service.name =~ ".*-(fusion|display)" && span.tactical_track_id =~ "T-[12]" }',
      ),
    ],
    ["Tempo: errors of all services", spans("{ status = error }")],
  ];
  for (const [name, url] of queries)
    printFigure(`${name}, last two minutes`, await timed(url, filled), "ms", QUERY_LIMIT_MS);
  const found = (await (await fetch(spans("{ status = error }"))).json()) as {
    traces: { traceID: string }[];
  };
  const trace = `http://127.0.0.1:${server.ports.tempo}/api/traces/${found.traces[0]?.traceID}`;
  printFigure(
    "Tempo: one trace by id",
    await timed(trace, (body) => body.includes("spans")),
    "ms",
    QUERY_LIMIT_MS,
  );
  const rate = logs('sum by (service_name) (count_over_time({service_name=~".+"} [30s]))');
  printFigure(
    "Loki: count over all lines of two minutes",
    await timed(rate, filled),
    "ms",
    QUERY_LIMIT_MS,
  );
}

function numberFlag(name: string, fallback: number): number {
  const text = process.argv.find((argument) => argument.startsWith(`--${name}=`))?.split("=")[1];
  const value = text === undefined ? fallback : Number(text);
  if (!Number.isInteger(value) || value <= 0)
    throw new UsageError(
      `Cannot use --${name}: it must be a whole number above 0, but is "${text}"`,
    );
  return value;
}

const folder = mkdtempSync(join(tmpdir(), "telemetry-bench-"));
try {
  await benchIngest(join(folder, "ingest"), numberFlag("seconds", 60));
  await benchQueries(join(folder, "queries"), numberFlag("rows", 5_000_000));
} finally {
  rmSync(folder, { recursive: true, force: true });
}
