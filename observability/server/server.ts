/** Assembles the telemetry server: one process, five listeners, one store. */
import { readFile } from "node:fs/promises";
import { Hono } from "hono";
import { consoleApp } from "./console/app.ts";
import type { Clock } from "../../lib/base/clock.ts";
import { processEnv } from "../../lib/base/env.ts";
import { EnvironmentError } from "../../lib/base/errors.ts";
import { underLocalNames } from "../../lib/base/host.ts";
import { parseAlertRules, rulesFor } from "../../lib/contract/alert-rules.ts";
import { readFleet } from "../../lib/contract/fleet.ts";
import type { Flags } from "./flags.ts";
import { grafanaApp } from "./grafana/routes.ts";
import { lokiApp } from "./loki/routes.ts";
import { markerApp, MarkerStore } from "./markers.ts";
import { startGrpc } from "./otlp/grpc.ts";
import { otlpHttpApp } from "./otlp/http.ts";
import { Ingress, MAX_PAYLOAD_BYTES } from "./otlp/ingress.ts";
import { PushedMetrics } from "./otlp/pushed-metrics.ts";
import { DEFAULT_LIMITS } from "./store/retention.ts";
import { Store } from "./store/store.ts";
import { tempoApp } from "./tempo/routes.ts";

/** The server's ports; 0 for those that a server of a frozen store does not open. */
export interface Ports {
  readonly console: number;
  readonly loki: number;
  readonly tempo: number;
  readonly otlpGrpc: number;
  readonly otlpHttp: number;
}

export interface TelemetryServer {
  readonly ports: Ports;
  readonly store: Store;
  /** Stops listening, commits the queue and closes the store; calling it again has no effect. */
  close(): Promise<void>;
}

export interface ServerOptions {
  readonly clock: Clock;
  readonly ownerToken: string | undefined;
}

/**
 * Starts listening; throws EnvironmentError when a port is in use or the store cannot be opened.
 */
export async function startServer(flags: Flags, options: ServerOptions): Promise<TelemetryServer> {
  const { frozenAtMs } = flags;
  const clock: Clock =
    frozenAtMs === undefined
      ? options.clock
      : { nowMs: () => frozenAtMs, sleep: (ms, signal) => options.clock.sleep(ms, signal) };
  const written = parseAlertRules(await readRules(flags.rulesFile), flags.rulesFile);
  const rules = rulesFor(written, readFleet(processEnv()).targets);
  const store = new Store({
    folder: flags.dataDir,
    clock,
    limits: { ...DEFAULT_LIMITS, maxBytes: flags.maxBytes },
    frozen: flags.frozenAtMs !== undefined,
  });
  const closers: (() => void | Promise<void>)[] = [() => store.close()];
  const close = async (): Promise<void> => {
    for (const one of closers.splice(0).toReversed()) await one();
  };
  try {
    const metrics = new PushedMetrics(clock);
    const ingress = new Ingress(store, metrics, clock);
    const otlp = otlpHttpApp(ingress);
    const isLive = flags.frozenAtMs === undefined;
    const loki = lokiApp({ store, clock });
    const tempo = tempoApp({ store, clock });
    const grafana = grafanaApp({ clock, prometheusUrl: flags.prometheusUrl, rules, loki, tempo });
    closers.push(grafana.stop);
    const front = new Hono();
    front.get("/otlp/metrics", (c) =>
      c.text(metrics.text(), 200, { "content-type": "text/plain; version=0.0.4; charset=utf-8" }),
    );
    front.get("/metrics", (c) => c.text(ownMetrics(store)));
    if (isLive) {
      front.route("/", markerApp(new MarkerStore(store.markerDatabase), options.ownerToken));
    }
    front.route("/", grafana.app);
    front.route("/", consoleApp({ rules }));
    const listen = (app: Hono, port: number, what: string): number => {
      const server = serve(app, flags.host, port, what);
      closers.push(() => server.stop(true));
      return server.port ?? port;
    };
    const grpc = isLive ? await startGrpc(ingress, flags.host, flags.otlpGrpcPort) : undefined;
    closers.push(async () => grpc?.close());
    const ports: Ports = {
      otlpGrpc: grpc?.port ?? 0,
      otlpHttp: isLive ? listen(otlp, flags.otlpHttpPort, "OTLP/HTTP") : 0,
      loki: listen(loki, flags.lokiPort, "Loki's API"),
      tempo: listen(tempo, flags.tempoPort, "Tempo's API"),
      console: listen(front, flags.consolePort, "the console"),
    };
    return { ports, store, close };
  } catch (error) {
    await close();
    throw error;
  }
}

async function readRules(file: string): Promise<string> {
  try {
    return await readFile(file, "utf8");
  } catch (error) {
    throw new EnvironmentError(`Cannot read the alert rules ${file}: ${(error as Error).message}`, {
      cause: error,
    });
  }
}

function serve(app: Hono, hostname: string, port: number, what: string): Bun.Server<undefined> {
  try {
    return Bun.serve({
      hostname,
      port,
      maxRequestBodySize: MAX_PAYLOAD_BYTES,
      idleTimeout: 60,
      fetch: underLocalNames((request) => app.fetch(request)),
    });
  } catch (error) {
    throw new EnvironmentError(
      `Cannot listen for ${what} on ${hostname}:${port}: ${(error as Error).message}`,
      { cause: error },
    );
  }
}

function ownMetrics({ stats }: Store): string {
  return [
    "# TYPE telemetry_server_spans_stored_total counter",
    `telemetry_server_spans_stored_total ${stats.spans}`,
    "# TYPE telemetry_server_logs_stored_total counter",
    `telemetry_server_logs_stored_total ${stats.logs}`,
    "# TYPE telemetry_server_commits_total counter",
    `telemetry_server_commits_total ${stats.commits}`,
    "# TYPE telemetry_server_longest_commit_seconds gauge",
    `telemetry_server_longest_commit_seconds ${stats.longestCommitMs / 1000}`,
    "",
  ].join("\n");
}
