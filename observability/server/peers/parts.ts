/** Finds, starts and stops the external programs of the comparison. */
import { join } from "node:path";
import { processEnv } from "../../../lib/base/env.ts";
import { EnvironmentError } from "../../../lib/base/errors.ts";
import { waitUntil } from "../../../lib/base/wait.ts";

const PARTS = {
  otelcol: {
    variable: "OTELCOL",
    install:
      "build an OpenTelemetry Collector with the otlp receiver and the otlp and otlphttp exporters (go.opentelemetry.io/collector/cmd/builder)",
  },
  loki: { variable: "LOKI", install: "go build github.com/grafana/loki/v3/cmd/loki" },
  logcli: { variable: "LOGCLI", install: "go build github.com/grafana/loki/v3/cmd/logcli" },
  telemetrygen: {
    variable: "TELEMETRYGEN",
    install:
      "go install github.com/open-telemetry/opentelemetry-collector-contrib/cmd/telemetrygen@latest",
  },
} as const;
export type Part = keyof typeof PARTS;

/**
 * The path of a program, from its variable or PATH. Throws EnvironmentError with instructions for
 * installing it.
 */
export function findPart(part: Part): string {
  const { variable, install } = PARTS[part];
  const given = processEnv()[variable];
  const found = Bun.which(given ?? part);
  if (found !== null) return found;
  const where = given === undefined ? "on PATH" : `at ${variable}=${given}`;
  throw new EnvironmentError(
    `Cannot compare with the real ones: ${part} is not ${where}; put it there or set ${variable}. To get it: ${install}`,
  );
}

/** A free port of this machine. */
export function freePort(): number {
  const server = Bun.listen({ hostname: "127.0.0.1", port: 0, socket: { data: () => undefined } });
  const { port } = server;
  server.stop(true);
  return port;
}

/** A program that runs until it is disposed; its output goes to a file, for debugging. */
export class Program implements AsyncDisposable {
  readonly #child: Bun.Subprocess;

  constructor(argv: readonly string[], log: string) {
    this.#child = Bun.spawn([...argv], {
      stdin: "ignore",
      stdout: Bun.file(log),
      stderr: Bun.file(`${log}.err`),
    });
  }

  get exitCode(): number | null {
    return this.#child.exitCode;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#child.kill("SIGKILL");
    await this.#child.exited;
  }
}

/** Waits until `url` answers 200. */
export async function waitForHttp(url: string, what: string, deadlineMs: number): Promise<void> {
  await waitUntil(
    async () => {
      const { status } = await fetch(url, { signal: AbortSignal.timeout(2000) });
      return { ok: status === 200, seen: `HTTP ${status}` };
    },
    { what, deadlineMs },
  );
}

/** Starts a Loki with its data in `folder`; returns its URL. */
export async function startLoki(folder: string): Promise<{ program: Program; url: string }> {
  const port = freePort();
  const config = `
auth_enabled: false
server: {http_listen_address: 127.0.0.1, http_listen_port: ${port}, grpc_listen_address: 127.0.0.1, grpc_listen_port: ${freePort()}, log_level: warn}
common:
  instance_addr: 127.0.0.1
  path_prefix: ${folder}/loki
  storage: {filesystem: {chunks_directory: ${folder}/loki/chunks, rules_directory: ${folder}/loki/rules}}
  replication_factor: 1
  ring: {kvstore: {store: inmemory}}
schema_config:
  configs: [{from: 2020-10-24, store: tsdb, object_store: filesystem, schema: v13, index: {prefix: index_, period: 24h}}]
limits_config: {ingestion_rate_mb: 100, ingestion_burst_size_mb: 200}
analytics: {reporting_enabled: false}
`;
  const file = join(folder, "loki.yaml");
  await Bun.write(file, config);
  const program = new Program([findPart("loki"), `-config.file=${file}`], join(folder, "loki.log"));
  const url = `http://127.0.0.1:${port}`;
  await waitForHttp(`${url}/ready`, "Loki", 90_000);
  return { program, url };
}

/**
 * Starts a Collector that sends logs to both servers, and traces to this one; returns its
 * addresses.
 */
export async function startCollector(
  folder: string,
  lokiUrl: string,
  oursGrpc: number,
): Promise<{ program: Program; http: string; grpc: string }> {
  const http = freePort();
  const grpc = freePort();
  const config = `
receivers: {otlp: {protocols: {grpc: {endpoint: "127.0.0.1:${grpc}"}, http: {endpoint: "127.0.0.1:${http}"}}}}
exporters:
  otlphttp/loki: {endpoint: "${lokiUrl}/otlp"}
  otlp/ours: {endpoint: "127.0.0.1:${oursGrpc}", tls: {insecure: true}}
service:
  telemetry: {metrics: {level: none}}
  pipelines:
    logs: {receivers: [otlp], exporters: [otlphttp/loki, otlp/ours]}
    traces: {receivers: [otlp], exporters: [otlp/ours]}
    metrics: {receivers: [otlp], exporters: [otlp/ours]}
`;
  const file = join(folder, "collector.yaml");
  await Bun.write(file, config);
  const log = join(folder, "collector.log");
  const program = new Program([findPart("otelcol"), `--config=${file}`], log);
  await waitUntil(
    async () => {
      if (program.exitCode !== null) {
        throw new EnvironmentError(`the Collector ended with ${program.exitCode}; see ${log}.err`);
      }
      const { status } = await fetch(`http://127.0.0.1:${http}/v1/logs`, {
        method: "POST",
        headers: { "content-type": "application/json" },
        body: "{}",
      });
      return { ok: status === 200, seen: `HTTP ${status}` };
    },
    { what: "the Collector", deadlineMs: 30_000 },
  );
  return { program, http: `http://127.0.0.1:${http}`, grpc: `127.0.0.1:${grpc}` };
}
