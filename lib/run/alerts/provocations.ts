/**
 * The changes that make each alert rule fire on a live lab, and for which services; `main.ts` tries
 * all of them.
 */
import { systemClock } from "../../base/clock.ts";
import { messageOf } from "../../base/errors.ts";
import { SERVICES, type ServiceName, TOPOLOGY } from "../../contract/topology.ts";
import type { Lab } from "../../lab/lab.ts";

/** One change of a healthy lab; replacing the changed services undoes it. */
export interface Provocation {
  readonly name: string;
  /** The alerts that must fire: a rule's uid, and the values of a label of its alerts, or none. */
  readonly fires: Readonly<Record<string, readonly string[]>>;
  readonly changes: readonly ServiceName[];
  /** Applies the change; called repeatedly until all alerts have fired. */
  change(lab: Lab, isFirst: boolean): Promise<void>;
}

const SENSORS = SERVICES.filter((name) => TOPOLOGY[name].sensorId !== undefined);
const SENSOR_IDS = SENSORS.map((name) => TOPOLOGY[name].sensorId ?? "");
const instanceOf = (name: ServiceName): string => `${name}:${TOPOLOGY[name].metricsPort}`;
const INSTANCES = SERVICES.map(instanceOf);

/** Replaces the services once by ones with these variables. */
function withEnv(
  name: string,
  changes: readonly ServiceName[],
  env: Readonly<Record<string, string>>,
  fires: Provocation["fires"],
): Provocation {
  return {
    name,
    fires,
    changes,
    change: async (lab, isFirst) => {
      if (isFirst) await Promise.all(changes.map((service) => lab.replace(service, { env })));
    },
  };
}

/** Limits a service's processor time so that its work accumulates. */
function starved(service: ServiceName, cores: number, fires: Provocation["fires"]): Provocation {
  return {
    name: `${service} at ${cores} of a core`,
    fires,
    changes: [service],
    change: async (lab, isFirst) => {
      if (isFirst) await lab.limitCpu(service, cores);
    },
  };
}

/** Longer than an engagement may take, shorter than a scrape may fail. */
const HELD_MS = 20_000;
const FREE_MS = 6000;

const elsewhere = { CMS_DDS_DOMAIN: "1" };

export const PROVOCATIONS: readonly Provocation[] = [
  {
    name: "all services stopped",
    fires: { "service-down": INSTANCES, "sensor-down": SENSORS.map(instanceOf) },
    changes: SERVICES,
    change: async (lab) => {
      await Promise.all(SERVICES.map((service) => lab.stop(service)));
    },
  },
  {
    name: "all services replaced again and again",
    fires: { "service-restarting": SERVICES },
    changes: SERVICES,
    change: async (lab) => {
      await Promise.all(SERVICES.map((service) => lab.replace(service)));
    },
  },
  withEnv(
    "nothing pushed",
    SERVICES,
    { OTEL_EXPORTER_OTLP_ENDPOINT: "http://127.0.0.1:1" },
    { "telemetry-missing": INSTANCES },
  ),
  withEnv("slow sensors", SENSORS, { PUBLISH_RATE_HZ: "1" }, { "sensor-rate-off": SENSOR_IDS }),
  withEnv("flooding sensors", SENSORS, { PUBLISH_RATE_HZ: "200" }, { "sensor-flood": SENSOR_IDS }),
  withEnv("five targets", SENSORS, { CMS_TARGETS: "5" }, { "picture-crowded": [] }),
  withEnv(
    "two targets",
    SENSORS,
    { CMS_TARGETS: "2", CMS_SEED: "1" },
    {
      "tactical-tracks-collapsed": [],
    },
  ),
  withEnv("a sensor alone", ["esm-sensor"], elsewhere, { "fusion-contributors-dropped": [] }),
  withEnv(
    "a leak",
    ["track-fusion"],
    { CMS_LEAK_RATE_BYTES: "40960" },
    { "fusion-memory-elevated": [], "memory-high": ["track-fusion"] },
  ),
  withEnv(
    "records for debugging",
    SERVICES,
    { CMS_DEBUG_LINES: "60" },
    {
      "log-volume-high": INSTANCES,
    },
  ),
  withEnv("fusion alone", ["track-fusion"], elsewhere, { "fusion-stalled": [] }),
  withEnv("evaluator and display alone", ["threat-evaluator", "tactical-display"], elsewhere, {
    "evaluation-stalled": [],
    "picture-stale": [],
  }),
  withEnv("command center alone", ["command-center"], elsewhere, { "command-stalled": [] }),
  withEnv("effector alone", ["effector-manager"], elsewhere, { "engagement-stalled": [] }),
  starved("track-fusion", 0.008, {
    "fusion-latency-high": [],
    "fusion-queue-deep": [],
  }),
  starved("eo-sensor", 0.006, { "sensor-latency-high": ["EO-3"] }),
  starved("threat-evaluator", 0.006, { "evaluation-latency-high": [] }),
  starved("command-center", 0.0035, { "command-latency-high": [] }),
  starved("tactical-display", 0.012, { "picture-late": [] }),
  {
    name: "the effector held for 20 s at a time",
    fires: { "engagement-latency-high": [] },
    changes: ["effector-manager"],
    change: async (lab) => {
      const { pid } = await lab.state("effector-manager");
      if (pid === null) throw new TypeError("effector-manager does not run");
      hold(pid, "SIGSTOP");
      await systemClock.sleep(HELD_MS);
      hold(pid, "SIGCONT");
      await systemClock.sleep(FREE_MS);
    },
  },
];

function hold(pid: number, signal: "SIGSTOP" | "SIGCONT"): void {
  try {
    process.kill(pid, signal);
  } catch (error) {
    throw new Error(`Cannot hold the process ${pid}: ${messageOf(error)}`, { cause: error });
  }
}
