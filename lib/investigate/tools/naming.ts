/** Derives the signal and the service of a value from the query and the labels of its result. */
import { SERVICES, type ServiceName, serviceOfSensor } from "../../contract/topology.ts";

const METRIC = /\b(up|ALERTS|(?:cms|container|otlp|process)_[a-z0-9_]+)\b/;

/** The metric of a PromQL expression: the first name in it, without the suffix of a histogram. */
export function signalOf(expr: string, labels: Readonly<Record<string, string>>): string {
  const name = labels["__name__"] ?? METRIC.exec(expr)?.[1] ?? expr;
  return name.replace(/_(bucket|sum|count)$/, "");
}

/** The service of a result: by its labels, else by the selectors of the query. */
export function serviceOf(
  expr: string,
  labels: Readonly<Record<string, string>>,
): ServiceName | null {
  return byLabels(labels) ?? byQuery(expr);
}

function byLabels(labels: Readonly<Record<string, string>>): ServiceName | null {
  const candidates = new Set([
    labels["service_name"],
    labels["name"],
    labels["instance"]?.split(":")[0],
    labels["service"],
  ]);
  const named = SERVICES.find((name) => candidates.has(name));
  if (named !== undefined) return named;
  const sensor = labels["sensor_id"];
  return sensor === undefined ? null : (serviceOfSensor(sensor) ?? null);
}

function byQuery(expr: string): ServiceName | null {
  const named = SERVICES.filter((name) => expr.includes(`"${name}"`) || expr.includes(`"${name}:`));
  return named.length === 1 ? (named[0] ?? null) : null;
}
