/**
 * A simulated system in numbers. A fault is a change of a healthy system's numbers; `series.ts`
 * converts them into telemetry. They are not measurements of a real system.
 */
import type { Alert } from "../../contract/alert.ts";
import { SERVICE_LIMITS, SERVICES, type ServiceName } from "../../contract/topology.ts";

/** The numbers of one service. Rates are per second, memory in bytes. */
export interface ServiceNumbers {
  readonly running: boolean;
  readonly up: boolean;
  readonly exitCode: number;
  readonly starts: number;
  readonly oomKills: number;
  readonly cpuCores: number;
  readonly throttledShare: number;
  readonly cpuQuota: number;
  /** Memory of a healthy process; from the onset on it grows by the slope. */
  readonly memory: number;
  readonly memorySlope: number;
  /** Time from the onset to the end of a process that does not run, seconds. */
  readonly endsAfterSeconds: number;
  readonly memoryLimit: number;
  readonly receivedBytes: number;
  readonly matchedLeast: number;
  readonly incompatible: number;
  /** Source tracks per second, for sensors. */
  readonly published: number;
  /** Log records with level WARN per second. */
  readonly warnings: number;
  /** Log events during the incident only, with a field each. */
  readonly events: Readonly<Record<string, string | number>>;
}

export interface SystemNumbers {
  readonly services: Readonly<Record<ServiceName, ServiceNumbers>>;
  readonly ingested: Readonly<Record<string, number>>;
  readonly queueDepth: number;
  readonly p95Seconds: number;
  readonly activeTracks: number;
  readonly contributorsRemoved: number;
}

const HEALTHY_SERVICE: ServiceNumbers = {
  running: true,
  up: true,
  exitCode: 0,
  starts: 0,
  oomKills: 0,
  cpuCores: 0.03,
  throttledShare: 0,
  cpuQuota: 0,
  memory: 80e6,
  memorySlope: 0,
  endsAfterSeconds: 0,
  memoryLimit: SERVICE_LIMITS.memoryBytes,
  receivedBytes: 40_000,
  matchedLeast: 1,
  incompatible: 0,
  published: 0,
  warnings: 0,
  events: {},
};

/** Three targets; each scan detects most of them. */
const PUBLISHED: Partial<Record<ServiceName, number>> = {
  "radar-sensor": 28.5,
  "esm-sensor": 13.5,
  "eo-sensor": 4.2,
};

/** A system without a fault. */
export const HEALTHY: SystemNumbers = {
  services: Object.fromEntries(
    SERVICES.map((name) => [name, { ...HEALTHY_SERVICE, published: PUBLISHED[name] ?? 0 }]),
  ) as Record<ServiceName, ServiceNumbers>,
  ingested: { "RADAR-1": 28.5, "ESM-2": 13.5, "EO-3": 4.2 },
  queueDepth: 0,
  p95Seconds: 0.0008,
  activeTracks: 3,
  contributorsRemoved: 0,
};

/** The healthy system with changes to one service and to fusion. */
export function changed(
  service: ServiceName,
  numbers: Partial<ServiceNumbers>,
  rest: Partial<Omit<SystemNumbers, "services">> = {},
): SystemNumbers {
  const before = HEALTHY.services[service];
  return {
    ...HEALTHY,
    ...rest,
    ingested: { ...HEALTHY.ingested, ...rest.ingested },
    services: { ...HEALTHY.services, [service]: { ...before, ...numbers } },
  };
}

/** An alert in the form for investigators; a simulation sets its time. */
export function simulatedAlert(name: string, about: ServiceName, description: string): Alert {
  const labels = { alertname: name, alert_source: "grafana", pipeline_name: about };
  return {
    alert_source: "grafana",
    title: `[FIRING:1] ${name}`,
    alert_name: name,
    state: "alerting",
    severity: "critical",
    pipeline_name: about,
    message: description,
    commonLabels: labels,
    commonAnnotations: { summary: name, description },
    alerts: [
      {
        status: "firing",
        labels,
        annotations: {},
        startsAt: new Date(0).toISOString(),
        endsAt: null,
      },
    ],
  };
}
