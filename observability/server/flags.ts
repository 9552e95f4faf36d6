/** The flags of the telemetry server. */
import { join } from "node:path";
import { parseArgs } from "node:util";
import { messageOf, UsageError } from "../../lib/base/errors.ts";
import { DEFAULT_LIMITS } from "./store/retention.ts";

export interface Flags {
  readonly dataDir: string;
  readonly host: string;
  readonly consolePort: number;
  readonly lokiPort: number;
  readonly tempoPort: number;
  readonly otlpGrpcPort: number;
  readonly otlpHttpPort: number;
  readonly prometheusUrl: string;
  readonly rulesFile: string;
  /** Size of the stored data above which the oldest is deleted, bytes. */
  readonly maxBytes: number;
  /**
   * If set, the store is read-only, nothing is ingested, and the server's clock is fixed at this
   * time; Unix milliseconds.
   */
  readonly frozenAtMs?: number;
}

export const HELP = `Telemetry server of the native lab: OTLP in; Loki, Tempo and Grafana APIs out.

  bun observability/server/main.ts --data-dir=DIR [flags]

  --data-dir=DIR             where the store is kept (made when it is not there)
  --host=ADDRESS             the only address listened on (127.0.0.1)
  --console-port=N           Grafana's API and the console (3000)
  --loki-port=N              Loki's API (3100)
  --tempo-port=N             Tempo's API (3200)
  --otlp-grpc-port=N         OTLP over gRPC (4317)
  --otlp-http-port=N         OTLP over HTTP (4318)
  --prometheus-url=URL       the Prometheus that evaluates the rules (http://127.0.0.1:9090)
  --rules-file=FILE          the alert rules, in Grafana's provisioning format
  --frozen-at=MS             serve what is stored as it was at that time: read-only, with the clock
                             standing there (Unix milliseconds); the OTLP ports are not opened
  --max-bytes=N              size at which the oldest data goes (${DEFAULT_LIMITS.maxBytes})

Port 0 takes any free one; the line that is printed when the server is ready names them all.
LOKI, Tempo and OTLP have no login: listen where only the lab can reach it. LAB_OWNER_TOKEN in the
environment is the secret for /owner/markers; without it that route does not exist.`;

const DEFAULTS: Readonly<Record<string, string>> = {
  "data-dir": "",
  host: "127.0.0.1",
  "console-port": "3000",
  "loki-port": "3100",
  "tempo-port": "3200",
  "otlp-grpc-port": "4317",
  "otlp-http-port": "4318",
  "prometheus-url": "http://127.0.0.1:9090",
  "rules-file": join(import.meta.dir, "../grafana/provisioning/alerting/alerts.yaml"),
  "max-bytes": String(DEFAULT_LIMITS.maxBytes),
  "frozen-at": "",
};

/** Reads the arguments; throws UsageError that names the flag, the rule and the value. */
export function parseFlags(argv: readonly string[]): Flags {
  const given = valuesOf(argv);
  const text = (name: string): string => given[name] ?? DEFAULTS[name] ?? "";
  const integer = (name: string, max: number): number => {
    const value = Number(text(name));
    if (!/^\d+$/.test(text(name)) || value > max) {
      throw new UsageError(
        `Cannot use --${name}: it must be a whole number up to ${max}, but is "${text(name)}"`,
      );
    }
    return value;
  };
  if (text("data-dir") === "") throw new UsageError("Cannot start without --data-dir=DIR");
  if (!/^https?:\/\//.test(text("prometheus-url")) || !URL.canParse(text("prometheus-url"))) {
    throw new UsageError(
      `Cannot use --prometheus-url: it must be an http URL, but is "${text("prometheus-url")}"`,
    );
  }
  return {
    dataDir: text("data-dir"),
    host: text("host"),
    consolePort: integer("console-port", 65_535),
    lokiPort: integer("loki-port", 65_535),
    tempoPort: integer("tempo-port", 65_535),
    otlpGrpcPort: integer("otlp-grpc-port", 65_535),
    otlpHttpPort: integer("otlp-http-port", 65_535),
    prometheusUrl: text("prometheus-url").replace(/\/$/, ""),
    rulesFile: text("rules-file"),
    maxBytes: integer("max-bytes", Number.MAX_SAFE_INTEGER),
    ...(text("frozen-at") === "" ? {} : { frozenAtMs: integer("frozen-at", 8.64e15) }),
  };
}

/** The value of each flag; parseArgs would accept repeats and use the last one. */
function valuesOf(argv: readonly string[]): Readonly<Record<string, string | undefined>> {
  const options = Object.fromEntries(
    Object.keys(DEFAULTS).map((name) => [name, { type: "string", multiple: true }] as const),
  );
  try {
    const { values } = parseArgs({ args: [...argv], options });
    return Object.fromEntries(
      Object.entries(values).map(([name, given]) => {
        if (given !== undefined && given.length > 1) throw new Error(`--${name} is given twice`);
        return [name, given?.[0]];
      }),
    );
  } catch (error) {
    throw new UsageError(`Cannot read the flags: ${messageOf(error)}; --help lists them`, {
      cause: error,
    });
  }
}
