/** Command lines of all programs in the lab. */
import { statfsSync } from "node:fs";
import { type Env, integerBetween, processEnv, readEnv } from "../../base/env.ts";
import { ALERT_RULES_FILE } from "../../contract/alert-rules.ts";
import { FLEET_VARIABLES } from "../../contract/fleet.ts";
import type { ServiceName } from "../../contract/topology.ts";
import type { Confinement } from "./confinement.ts";
import { type Files, GATEWAY, INNER_PORTS, PART_LIMITS, type PartName } from "./layout.ts";
import type { Program } from "./managed-process.ts";

/** A program without its control groups. */
export type ProgramSpec = Omit<Program, "groups">;

export interface ProgramOptions {
  readonly confinement: Confinement;
  readonly files: Files;
  /**
   * A program that replaces every service and the telemetry server, by name, in tests of the lab
   * itself.
   */
  readonly standIn: string | undefined;
}

const CYCLONEDDS_URI =
  '<CycloneDDS><Domain Id="any"><General><Interfaces><NetworkInterface name="eth0"/></Interfaces></General></Domain></CycloneDDS>';

/** With many targets, most traces are not sampled. */
const SAMPLING = ["OTEL_TRACES_SAMPLER", "OTEL_TRACES_SAMPLER_ARG"] as const;

/** Lists of folders, which may be in the project. */
const PATH_LISTS: ReadonlySet<string> = new Set(["PATH", "LD_LIBRARY_PATH", "CYCLONEDDS_HOME"]);

/** The only variables of the environment that are passed on to programs of the lab. */
function passedThrough({ pathsInside }: Confinement): Record<string, string> {
  const given = processEnv();
  const env = Object.fromEntries(
    Object.entries(given).map(([name, value]) => [
      name,
      PATH_LISTS.has(name) && value !== undefined ? pathsInside(value) : value,
    ]),
  );
  const names = [
    "PATH",
    "LANG",
    "TZ",
    "CYCLONEDDS_HOME",
    "LD_LIBRARY_PATH",
    ...FLEET_VARIABLES,
    ...SAMPLING,
  ];
  return Object.fromEntries(
    names.flatMap((name) => (env[name] === undefined ? [] : [[name, env[name]]])),
  );
}

/** A service; `extra` variables override the canonical environment. */
export function serviceProgram(
  service: ServiceName,
  extra: Readonly<Record<string, string>>,
  { confinement, files, standIn }: ProgramOptions,
): ProgramSpec {
  const { bun, projectDir, prefix } = confinement;
  return {
    argv: [...prefix, bun, ...(standIn ? [standIn, service] : [`services/${service}/main.ts`])],
    cwd: projectDir,
    netns: service,
    logPath: files.log(service),
    env: {
      ...passedThrough(confinement),
      HOME: "/nonexistent",
      CMS_DDS_DOMAIN: "0",
      CYCLONEDDS_URI,
      OTEL_SERVICE_NAME: service,
      OTEL_EXPORTER_OTLP_ENDPOINT: `http://${GATEWAY}:${INNER_PORTS.otlpGrpc}`,
      ...extra,
    },
  };
}

/** Prometheus or the telemetry server. */
export function partProgram(
  part: PartName,
  { confinement, files, standIn }: ProgramOptions,
): ProgramSpec {
  const env = { ...passedThrough(confinement), HOME: "/nonexistent" };
  const common = { cwd: confinement.projectDir, logPath: files.log(part) };
  if (part === "prometheus") {
    const { bavail, bsize } = statfsSync(files.data("prometheus"));
    const argv = prometheusArgv(confinement, bavail * bsize);
    return {
      ...common,
      env: { ...env, GOMEMLIMIT: `${Math.floor(PART_LIMITS.prometheus.memoryBytes * 0.8)}` },
      argv: [...confinement.prefix, ...argv],
    };
  }
  const argv = standIn ? [standIn, part] : telemetryArgv(confinement);
  return {
    ...common,
    argv: [...confinement.prefix, confinement.bun, ...argv],
    // The token for the console's markers, for the telemetry server only.
    env: { ...env, LAB_OWNER_TOKEN: processEnv()["LAB_OWNER_TOKEN"] ?? "" },
  };
}

/**
 * Maximum size of the store with its write-ahead log; also at most a quarter of the free space at
 * the start.
 */
const MAX_STORED_BYTES = 2 * 2 ** 30;
/** Prometheus' minimum: two hours of this lab. */
const MIN_STORED_BYTES = 64 * 2 ** 20;

export function prometheusArgv({ data }: Pick<Confinement, "data">, freeBytes: number): string[] {
  const stored = Math.max(MIN_STORED_BYTES, Math.min(MAX_STORED_BYTES, Math.floor(freeBytes / 4)));
  return [
    "prometheus",
    `--config.file=${data("prometheus")}/config/prometheus.yml`,
    `--storage.tsdb.path=${data("prometheus")}/data`,
    "--storage.tsdb.retention.time=24h",
    `--storage.tsdb.retention.size=${stored}B`,
    // 160 MB of samples in memory: every series of the lab for an hour and a half.
    "--query.max-samples=10000000",
    "--query.timeout=30s",
    // Pages of other origins must not read the API; the default allows all of them.
    "--web.cors.origin=^$",
    `--web.listen-address=127.0.0.1:${INNER_PORTS.prometheusItself}`,
    // For snapshots. Only the supervisor can reach this port; other programs use the filter in
    // `prometheus-door.ts`.
    "--web.enable-admin-api",
    // The rules look back two minutes. A series of a failed scrape is still marked stale at once.
    "--query.lookback-delta=2m",
    "--log.level=warn",
  ];
}

/** Maximum size of the telemetry store in MiB; undefined: the server's default. */
export const maxTelemetryMib = (env: Env): number | undefined =>
  readEnv<number | undefined>(
    env,
    "LAB_TELEMETRY_MAX_MIB",
    undefined,
    integerBetween(64, 1_048_576, "MiB"),
  );

function telemetryArgv({ data }: Confinement): string[] {
  const maxMib = maxTelemetryMib(processEnv());
  return [
    "observability/server/main.ts",
    `--data-dir=${data("telemetry")}`,
    `--host=${GATEWAY}`,
    `--console-port=${INNER_PORTS.console}`,
    `--loki-port=${INNER_PORTS.loki}`,
    `--tempo-port=${INNER_PORTS.tempo}`,
    `--otlp-grpc-port=${INNER_PORTS.otlpGrpc}`,
    `--otlp-http-port=${INNER_PORTS.otlpHttp}`,
    `--prometheus-url=http://${GATEWAY}:${INNER_PORTS.prometheus}`,
    `--rules-file=${ALERT_RULES_FILE}`,
    ...(maxMib === undefined ? [] : [`--max-bytes=${maxMib * 2 ** 20}`]),
  ];
}
