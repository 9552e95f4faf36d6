/** The command lines of everything that runs in the lab. */
import { processEnv } from "../../base/env.ts";
import { ALERT_RULES_FILE } from "../../contract/alert-rules.ts";
import { FLEET_VARIABLES } from "../../contract/fleet.ts";
import type { ServiceName } from "../../contract/topology.ts";
import type { Confinement } from "./confinement.ts";
import { type Files, GATEWAY, INNER_PORTS, type PartName } from "./layout.ts";
import type { Program } from "./managed-process.ts";

/** A program without the control groups that it will be put in. */
export type ProgramSpec = Omit<Program, "groups">;

export interface ProgramOptions {
  readonly confinement: Confinement;
  readonly files: Files;
  /**
   * A program that plays every service and the telemetry server, by name: for tests of the lab
   * itself.
   */
  readonly standIn: string | undefined;
}

const CYCLONEDDS_URI =
  '<CycloneDDS><Domain Id="any"><General><Interfaces><NetworkInterface name="eth0"/></Interfaces></General></Domain></CycloneDDS>';

/** With many targets most traces are left out. */
const SAMPLING = ["OTEL_TRACES_SAMPLER", "OTEL_TRACES_SAMPLER_ARG"] as const;

/** The only variables of the environment that are passed on to programs of the lab. */
function passedThrough(): Record<string, string> {
  const env = processEnv();
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

/** A service, with `extra` variables on top of the canonical environment. */
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
      ...passedThrough(),
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
  const env = { ...passedThrough(), HOME: "/nonexistent" };
  const common = { cwd: confinement.projectDir, logPath: files.log(part) };
  if (part === "prometheus") {
    return { ...common, env, argv: [...confinement.prefix, ...prometheusArgv(confinement)] };
  }
  const argv = standIn ? [standIn, part] : telemetryArgv(confinement);
  return {
    ...common,
    argv: [...confinement.prefix, confinement.bun, ...argv],
    // The token for the console's markers: only the telemetry server gets it.
    env: { ...env, LAB_OWNER_TOKEN: processEnv()["LAB_OWNER_TOKEN"] ?? "" },
  };
}

function prometheusArgv({ data }: Confinement): string[] {
  return [
    "prometheus",
    `--config.file=${data("prometheus")}/config/prometheus.yml`,
    `--storage.tsdb.path=${data("prometheus")}/data`,
    "--storage.tsdb.retention.time=24h",
    `--web.listen-address=127.0.0.1:${INNER_PORTS.prometheusItself}`,
    // For snapshots. Only the supervisor reaches this port; others go through the filter in
    // `prometheus-door.ts`.
    "--web.enable-admin-api",
    // The rules look back two minutes. A series whose target cannot be scraped is still marked
    // stale at once.
    "--query.lookback-delta=2m",
    "--log.level=warn",
  ];
}

function telemetryArgv({ data }: Confinement): string[] {
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
  ];
}
