/**
 * Simulated incidents with their right diagnoses, for the fault classes that telemetry shows well.
 */
import type { Alert } from "../../contract/alert.ts";
import type { FaultClass } from "../../contract/fault-classes.ts";
import type { ServiceName } from "../../contract/topology.ts";
import {
  changed,
  HEALTHY,
  type ServiceNumbers,
  simulatedAlert,
  type SystemNumbers,
} from "./system.ts";

export interface SimulatedIncident {
  readonly name: string;
  readonly alert: Alert;
  readonly system: SystemNumbers;
  readonly service: ServiceName | null;
  readonly faultClass: FaultClass;
}

const unreachable = (service: ServiceName): Alert =>
  simulatedAlert(
    "Sensor down",
    service,
    `${service}:9100 has not answered a scrape for 30 seconds. Either the process is gone or it cannot be reached.`,
  );

const slow = simulatedAlert(
  "Fusion latency high",
  "track-fusion",
  "The 95th percentile of the time per source track is above 0.5 s.",
);

const dropped = simulatedAlert(
  "Fusion contributors dropped",
  "track-fusion",
  "At least one tactical track lost a contributing sensor within the last two minutes.",
);

const elevated = simulatedAlert(
  "Fusion memory elevated",
  "track-fusion",
  "The resident memory of track fusion is above 200 MB.",
);

const flooded = changed(
  "eo-sensor",
  { published: 400, cpuCores: 0.3 },
  { ingested: { "EO-3": 400 }, p95Seconds: 0.02 },
);

/** Fusion after the kernel killed it at its memory limit. */
const killed = (growth: Pick<ServiceNumbers, "memorySlope" | "endsAfterSeconds">): SystemNumbers =>
  changed(
    "track-fusion",
    {
      ...growth,
      running: false,
      exitCode: 137,
      oomKills: 1,
      memoryLimit: 268_435_456,
    },
    { ingested: { "RADAR-1": 0, "ESM-2": 0, "EO-3": 0 } },
  );

export const SIMULATED_INCIDENTS: readonly SimulatedIncident[] = [
  {
    name: "one sensor's process gone",
    alert: unreachable("eo-sensor"),
    system: changed(
      "eo-sensor",
      {
        running: false,
        events: { service_stopping: "SIGTERM" },
      },
      { ingested: { "EO-3": 0 }, contributorsRemoved: 3 },
    ),
    service: "eo-sensor",
    faultClass: "process_exited",
  },
  {
    name: "one sensor runs but cannot be reached",
    alert: unreachable("radar-sensor"),
    system: changed(
      "radar-sensor",
      { up: false, receivedBytes: 0 },
      { ingested: { "RADAR-1": 0 }, contributorsRemoved: 3 },
    ),
    service: "radar-sensor",
    faultClass: "network_partition",
  },
  {
    name: "one sensor cannot be reached, and the loudest publishes nearly all that is left",
    alert: unreachable("esm-sensor"),
    system: changed(
      "esm-sensor",
      { up: false, receivedBytes: 0 },
      { ingested: { "ESM-2": 0 }, contributorsRemoved: 3 },
    ),
    service: "esm-sensor",
    faultClass: "network_partition",
  },
  {
    name: "fusion held back",
    alert: slow,
    system: changed(
      "track-fusion",
      { throttledShare: 0.9, cpuQuota: 3000, cpuCores: 0.03 },
      // It takes in about half of what is sent.
      {
        queueDepth: 800,
        p95Seconds: 4.2,
        ingested: { "RADAR-1": 14, "ESM-2": 6.5, "EO-3": 2 },
      },
    ),
    service: "track-fusion",
    faultClass: "cpu_starvation",
  },
  {
    name: "one sensor refused by its readers",
    alert: dropped,
    system: changed(
      "radar-sensor",
      { matchedLeast: 0, incompatible: 2, events: { dds_incompatible_qos: "DEADLINE" } },
      { ingested: { "RADAR-1": 0 }, contributorsRemoved: 3 },
    ),
    service: "radar-sensor",
    faultClass: "qos_mismatch",
  },
  {
    name: "one sensor floods",
    alert: simulatedAlert(
      "Sensor flood",
      "eo-sensor",
      "Sensor EO-3 publishes source tracks far above any nominal rate.",
    ),
    system: flooded,
    service: "eo-sensor",
    faultClass: "message_flood",
  },
  {
    name: "one sensor floods, and fusion needs more memory for it",
    alert: simulatedAlert(
      "Sensor flood",
      "eo-sensor",
      "Sensor EO-3 publishes source tracks far above any nominal rate.",
    ),
    system: {
      ...flooded,
      services: {
        ...flooded.services,
        "track-fusion": { ...HEALTHY.services["track-fusion"], memorySlope: 300_000 },
      },
    },
    service: "eo-sensor",
    faultClass: "message_flood",
  },
  {
    name: "fusion's memory grows",
    alert: elevated,
    system: changed("track-fusion", {
      memorySlope: 450_000,
      memoryLimit: 268_435_456,
    }),
    service: "track-fusion",
    faultClass: "memory_leak",
  },
  {
    name: "fusion's memory grew until the kernel killed it",
    alert: elevated,
    system: killed({ memorySlope: 450_000, endsAfterSeconds: 200 }),
    service: "track-fusion",
    faultClass: "memory_leak",
  },
  {
    name: "fusion wants more memory than it may have, all at once",
    alert: elevated,
    system: killed({ memorySlope: 4_500_000, endsAfterSeconds: 20 }),
    service: "track-fusion",
    faultClass: "oom_kill",
  },
  {
    name: "nothing is wrong any more",
    alert: unreachable("esm-sensor"),
    system: HEALTHY,
    service: null,
    faultClass: "none",
  },
];
