/**
 * Metrics: one declaration defines the scraped copy (prom-client) and the pushed one
 * (OpenTelemetry). Only metrics that lib/contract declares for the service can be created.
 */
import type { Attributes, Meter, Observable } from "@opentelemetry/api";
import { Counter, Gauge, Histogram, Registry } from "prom-client";
import { METRICS, type MetricName, type MetricSpec } from "../contract/telemetry.ts";
import { sensorKindOf, type ServiceName, TOPOLOGY } from "../contract/topology.ts";

export type Labels = Readonly<Record<string, string>>;

/** One series of a metric. */
export interface CounterSeries {
  add(value: number): void;
}
export interface GaugeSeries {
  set(value: number): void;
}
export interface HistogramSeries {
  record(value: number): void;
}

type NamesOf<T extends MetricSpec["type"]> = {
  [N in MetricName]: (typeof METRICS)[N]["type"] extends T ? N : never;
}[MetricName];

export class Meters {
  readonly registry = new Registry();
  readonly #service: ServiceName;
  readonly #meter: Meter;
  readonly #made = new Map<string, unknown>();

  constructor(service: ServiceName, meter: Meter) {
    this.#service = service;
    this.#meter = meter;
  }

  /** The series of a counter with these labels; returns the same object for the same labels. */
  counter(name: NamesOf<"counter">, labels: Labels = {}): CounterSeries {
    return this.#series(name, labels, "counter", (spec) => {
      const scraped = this.#once(name, () => {
        const counter = new Counter({ ...this.#options(name, spec) });
        for (const set of closedLabelSets(spec, this.#service)) counter.inc(set, 0);
        return counter;
      });
      const pushed = this.#once(`otlp ${name}`, () =>
        pushedFrom(
          this.#meter.createObservableCounter(name, { description: spec.help, unit: spec.unit }),
        ),
      );
      const child = scraped.labels(labels);
      const series = pushed(labels);
      return {
        add: (value) => {
          child.inc(value);
          series.value = (series.value ?? 0) + value;
        },
      };
    });
  }

  /** The series of a gauge with these labels. */
  gauge(name: NamesOf<"gauge">, labels: Labels = {}): GaugeSeries {
    return this.#series(name, labels, "gauge", (spec) => {
      const scraped = this.#once(name, () => new Gauge({ ...this.#options(name, spec) }));
      const pushed = this.#once(`otlp ${name}`, () =>
        pushedFrom(
          this.#meter.createObservableGauge(name, { description: spec.help, unit: spec.unit }),
        ),
      );
      const child = scraped.labels(labels);
      const series = pushed(labels);
      return {
        set: (value) => {
          child.set(value);
          series.value = value;
        },
      };
    });
  }

  /** The series of a histogram with these labels. */
  histogram(name: NamesOf<"histogram">, labels: Labels = {}): HistogramSeries {
    return this.#series(name, labels, "histogram", (spec) => {
      const buckets = [...(spec.buckets ?? [])];
      const scraped = this.#once(name, () => {
        const histogram = new Histogram({ ...this.#options(name, spec), buckets });
        for (const set of closedLabelSets(spec, this.#service)) histogram.zero(set);
        return histogram;
      });
      const pushed = this.#once(`otlp ${name}`, () =>
        this.#meter.createHistogram(name, {
          description: spec.help,
          unit: spec.unit,
          advice: { explicitBucketBoundaries: buckets },
        }),
      );
      const child = scraped.labels(labels);
      const attributes: Attributes = { ...labels };
      return {
        record: (value) => {
          child.observe(value);
          pushed.record(value, attributes);
        },
      };
    });
  }

  #options(name: string, spec: MetricSpec) {
    return {
      name,
      help: spec.help,
      labelNames: Object.keys(spec.labels),
      registers: [this.registry],
    };
  }

  #series<T>(
    name: MetricName,
    labels: Labels,
    type: MetricSpec["type"],
    make: (spec: MetricSpec) => T,
  ): T {
    const spec: MetricSpec = METRICS[name];
    return this.#once(`${name} ${JSON.stringify(labels)}`, () => {
      checkDeclared(name, spec, type, labels, this.#service);
      return make(spec);
    });
  }

  #once<T>(key: string, make: () => T): T {
    const made = this.#made.get(key) as T | undefined;
    if (made !== undefined) return made;
    const fresh = make();
    this.#made.set(key, fresh);
    return fresh;
  }
}

/** The pushed value of a series; undefined before its first value. */
interface PushedSeries {
  readonly attributes: Attributes;
  value: number | undefined;
}

/**
 * Creates series of an instrument that is read at each push. Keeping a number costs the data path
 * nothing; OpenTelemetry would look up a series by its attributes for every message.
 */
function pushedFrom(instrument: Observable): (labels: Labels) => PushedSeries {
  const all: PushedSeries[] = [];
  instrument.addCallback((result) => {
    for (const { value, attributes } of all) {
      if (value !== undefined) result.observe(value, attributes);
    }
  });
  return (labels) => {
    const series: PushedSeries = { attributes: { ...labels }, value: undefined };
    all.push(series);
    return series;
  };
}

function checkDeclared(
  name: string,
  spec: MetricSpec,
  type: string,
  labels: Labels,
  service: ServiceName,
): void {
  const wrong = (rule: string): never => {
    throw new TypeError(`Cannot emit ${name}: ${rule}`);
  };
  if (spec.type !== type) wrong(`it is declared as a ${spec.type}, not as a ${type}`);
  if (!spec.services.includes(service)) wrong(`it is not declared for ${service}`);
  const declared = Object.keys(spec.labels).toSorted().join(", ");
  const given = Object.keys(labels).toSorted().join(", ");
  if (declared !== given) wrong(`its labels must be (${declared}), but are (${given})`);
  for (const [label, values] of Object.entries(spec.labels)) {
    const value = labels[label] ?? "";
    // Any number of sensors can be configured; only those of the canonical system are declared.
    if (label === "sensor_id" && sensorKindOf(value) !== undefined) continue;
    if (values !== "open" && !values.includes(value)) {
      wrong(`${label} must be one of ${values.join(", ")}, but is ${value}`);
    }
  }
}

/**
 * Every combination of label values of a metric with closed label sets only; none if one label is
 * open.
 */
export function closedLabelSets(spec: MetricSpec, service: ServiceName): Record<string, string>[] {
  let sets: Record<string, string>[] = [{}];
  for (const [label, values] of Object.entries(spec.labels)) {
    if (values === "open") return [];
    // A sensor service emits for its own sensor only; fusion starts the series of all three.
    const own = label === "sensor_id" ? TOPOLOGY[service].sensorId : undefined;
    const started = own === undefined ? values : [own];
    sets = sets.flatMap((set) => started.map((value) => ({ ...set, [label]: value })));
  }
  return sets;
}
