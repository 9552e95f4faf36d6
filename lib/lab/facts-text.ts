/**
 * Renders facts about the services' process groups as Prometheus text with cAdvisor's names; the
 * label `name` is the service.
 */
import { CONTAINER_METRICS, type ContainerMetricName } from "../contract/telemetry.ts";
import type { ServiceName } from "../contract/topology.ts";

/** One sample: its metric, its value, and labels besides the service's name. */
export type FactRow = readonly [
  metric: ContainerMetricName,
  value: number,
  labels?: Readonly<Record<string, string>>,
];

/** Renders the rows of all services, grouped by metric. */
export function factsText(
  services: Iterable<readonly [service: ServiceName, rows: readonly FactRow[]]>,
): string {
  const lines = new Map<ContainerMetricName, string[]>();
  for (const [service, rows] of services) {
    for (const [metric, value, labels = {}] of rows) {
      const text = Object.entries({ name: service, ...labels })
        .map(([label, labelValue]) => `${label}="${labelValue}"`)
        .join(",");
      const known = lines.get(metric) ?? [];
      known.push(`${metric}{${text}} ${value}`);
      lines.set(metric, known);
    }
  }
  return [...lines]
    .flatMap(([metric, samples]) => [
      `# HELP ${metric} ${CONTAINER_METRICS[metric]}`,
      `# TYPE ${metric} ${metric.endsWith("_total") ? "counter" : "gauge"}`,
      ...samples,
    ])
    .join("\n")
    .concat("\n");
}
