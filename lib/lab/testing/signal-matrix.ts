/** Compares the signals of a lab with their declarations and lists differences. */
import { createPrometheusClient, type PrometheusClient } from "../../base/prometheus.ts";
import {
  type LogEvent,
  LOGS,
  type LogSpec,
  METRICS,
  type MetricSpec,
  PUSHED_METRIC_PREFIX,
} from "../../contract/telemetry.ts";
import { type LabPorts, type ServiceName, TOPOLOGY } from "../../contract/topology.ts";
import { TelemetryReader } from "./telemetry-reader.ts";

export class SignalMatrix {
  readonly #prometheus: PrometheusClient;
  readonly #reader: TelemetryReader;

  constructor(ports: LabPorts) {
    this.#prometheus = createPrometheusClient(`http://127.0.0.1:${ports.prometheus}`);
    this.#reader = new TelemetryReader(ports);
  }

  /** Problems of one copy (scraped or pushed) of a service's metric. */
  async #problemsOf(
    name: string,
    spec: MetricSpec,
    service: ServiceName,
    copy: "scraped" | "pushed",
  ): Promise<string[]> {
    const shown = `${copy === "pushed" ? PUSHED_METRIC_PREFIX : ""}${name}`;
    const matcher =
      copy === "pushed"
        ? `job="otlp",service_name="${service}"`
        : `job="cms-services",instance=~"${service}:.+"`;
    const suffix = spec.type === "histogram" ? "_bucket" : "";
    const samples = await this.#prometheus.instant(`${shown}${suffix}{${matcher}}`);
    if (samples.length === 0) return [`${shown} of ${service}`];
    const ignored = new Set(["__name__", "job", "instance", "service_name", "le"]);
    const problems: string[] = [];
    for (const { labels } of samples) {
      const names = Object.keys(labels).filter((label) => !ignored.has(label));
      if (names.toSorted().join(",") !== labelNamesOf(spec)) {
        problems.push(`${shown} of ${service}: labels ${names.join(",")}`);
      }
    }
    for (const [label, values] of Object.entries(spec.labels)) {
      if (values === "open") continue;
      const own = label === "sensor_id" ? TOPOLOGY[service].sensorId : undefined;
      const seen = new Set(samples.map(({ labels }) => labels[label]));
      for (const value of own === undefined ? values : [own]) {
        if (!seen.has(value)) problems.push(`${shown} of ${service}: ${label}=${value}`);
      }
    }
    if (spec.buckets !== undefined) {
      const bounds = new Set(samples.map(({ labels }) => boundOf(labels["le"])));
      const wanted = [...spec.buckets, Number.POSITIVE_INFINITY];
      if (!wanted.every((bound) => bounds.has(bound)) || bounds.size !== wanted.length) {
        problems.push(`${shown} of ${service}: buckets ${[...bounds].join(",")}`);
      }
    }
    return problems;
  }

  /** Every row of a metric table, in both copies. */
  async metricProblems(isWanted: (name: string) => boolean): Promise<string[]> {
    const rows = Object.entries<MetricSpec>(METRICS).filter(([name]) => isWanted(name));
    const found = await Promise.all(
      rows.flatMap(([name, spec]) =>
        spec.services.flatMap((service) => [
          this.#problemsOf(name, spec, service, "scraped"),
          this.#problemsOf(name, spec, service, "pushed"),
        ]),
      ),
    );
    return found.flat();
  }

  /**
   * Rows of the log table, by event and service, that the Loki API does not return with their level
   * and fields.
   */
  async missingLogs(isWanted: (event: LogEvent) => boolean): Promise<string[]> {
    const rows = Object.entries<LogSpec>(LOGS).filter(([event]) => isWanted(event as LogEvent));
    const found = await Promise.all(
      rows.flatMap(([event, spec]) =>
        spec.services.map(async (service) => {
          const [line] = await this.#reader.logs(service, `| json | event="${event}"`, 1);
          if (line === undefined) return [`${event} of ${service}`];
          const absent = spec.fields.filter((field) => !(field in line));
          if (absent.length > 0) return [`${event} of ${service}: fields ${absent.join(",")}`];
          return line["level"] === spec.level
            ? []
            : [`${event} of ${service}: level ${String(line["level"])}`];
        }),
      ),
    );
    return found.flat();
  }
}

function labelNamesOf(spec: MetricSpec): string {
  return Object.keys(spec.labels).toSorted().join(",");
}

const boundOf = (le: string | undefined): number =>
  le === "+Inf" ? Number.POSITIVE_INFINITY : Number(le);
