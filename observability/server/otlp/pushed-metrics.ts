/**
 * Metrics pushed by OTLP: the latest point of each series, in Prometheus' text format.
 *
 * Their names get the prefix `otlp_`, so that rules do not count samples twice that are also
 * scraped. A series expires 60 s after its last push. Exponential histograms and summaries are
 * refused; the response says so.
 */
import type { Clock } from "../../../lib/base/clock.ts";
import { PUSHED_METRIC_PREFIX } from "../../../lib/contract/telemetry.ts";
import { labelName } from "./decode-logs.ts";
import { decode, type PartialSuccess } from "./decode.ts";
import { serviceOf } from "./decode-traces.ts";
import {
  attributesOf,
  bigintOf,
  doubleOf,
  has,
  listOf,
  type Message,
  messageOf,
  numberOf,
  textOf,
  valueText,
} from "./values.ts";

const EXPIRES_MS = 60_000;
const MAX_SERIES = 20_000;
const TEMPORALITIES = ["UNSPECIFIED", "DELTA", "CUMULATIVE"].map(
  (name) => `AGGREGATION_TEMPORALITY_${name}`,
);
const DELTA = 1;

type Kind = "counter" | "gauge" | "histogram";

interface Series {
  readonly labels: string;
  readonly seenMs: number;
  /** Lines without the family's name: suffix, extra label, value. */
  readonly samples: readonly (readonly [suffix: string, extra: string, value: string])[];
}

interface Family {
  readonly kind: Kind;
  readonly help: string;
  readonly series: Map<string, Series>;
}

const escapeLabel = (text: string): string =>
  text.replaceAll("\\", "\\\\").replaceAll('"', '\\"').replaceAll("\n", "\\n");

function numberText(value: number): string {
  if (value === Infinity) return "+Inf";
  if (value === -Infinity) return "-Inf";
  return String(value);
}

export class PushedMetrics {
  readonly #clock: Clock;
  readonly #families = new Map<string, Family>();
  #count = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Accepts a metrics request; returns the number of refused points, and the reason. */
  add(request: Message): PartialSuccess {
    const { rows } = decode(request, {
      fields: ["resourceMetrics", "scopeMetrics", "metrics"],
      resource: serviceOf,
      scope: (_, service) => service,
      item: (metric, service) => this.#addMetric(metric, service),
    });
    return {
      rejected: rows.reduce((sum, { rejected }) => sum + rejected, 0),
      reason: rows.findLast(({ reason }) => reason !== "")?.reason ?? "",
    };
  }

  #addMetric(metric: Message, service: string): PartialSuccess {
    const name = textOf(metric["name"], "metric.name");
    const shape = shapeOf(metric);
    if (typeof shape === "string")
      return { rejected: pointsOf(metric), reason: `${name}: ${shape}` };
    const full = PUSHED_METRIC_PREFIX + labelName(name);
    const known = this.#families.get(full);
    const family = known ?? {
      kind: shape.kind,
      help: textOf(metric["description"], "description"),
      series: new Map(),
    };
    if (family.kind !== shape.kind) {
      return { rejected: shape.points.length, reason: `${name}: was a ${family.kind} before` };
    }
    this.#families.set(full, family);
    let rejected = 0;
    for (const point of shape.points) {
      const labels = labelsOf(point, service);
      if (!family.series.has(labels) && this.#count >= MAX_SERIES) {
        rejected += 1;
        continue;
      }
      if (!family.series.has(labels)) this.#count += 1;
      const samples = shape.kind === "histogram" ? histogramSamples(point) : numberSamples(point);
      family.series.set(labels, { labels, seenMs: this.#clock.nowMs(), samples });
    }
    return {
      rejected,
      reason: rejected === 0 ? "" : `at most ${MAX_SERIES} pushed series are kept`,
    };
  }

  /** All series in Prometheus' text format. */
  text(): string {
    const cutMs = this.#clock.nowMs() - EXPIRES_MS;
    const lines: string[] = [];
    for (const [name, family] of this.#families) {
      for (const [key, one] of family.series) {
        if (one.seenMs >= cutMs) continue;
        family.series.delete(key);
        this.#count -= 1;
      }
      if (family.series.size === 0) {
        this.#families.delete(name);
        continue;
      }
      const help = family.help.replaceAll("\\", "\\\\").replaceAll("\n", "\\n");
      lines.push(`# HELP ${name} ${help}`, `# TYPE ${name} ${family.kind}`);
      for (const { labels, samples } of family.series.values()) {
        for (const [suffix, extra, value] of samples) {
          lines.push(`${name}${suffix}{${labels}${extra}} ${value}`);
        }
      }
    }
    return lines.length === 0 ? "" : `${lines.join("\n")}\n`;
  }
}

interface Shape {
  readonly kind: Kind;
  readonly points: readonly Message[];
}

function shapeOf(metric: Message): Shape | string {
  if (has(metric, "gauge")) {
    const gauge = messageOf(metric["gauge"], "gauge");
    return { kind: "gauge", points: listOf(gauge["dataPoints"], "dataPoints") };
  }
  const key = has(metric, "sum") ? "sum" : has(metric, "histogram") ? "histogram" : undefined;
  if (key === undefined) return "only gauges, sums and explicit histograms are taken";
  const data = messageOf(metric[key], key);
  const temporality = data["aggregationTemporality"];
  if (numberOf(temporality, "aggregationTemporality", TEMPORALITIES) === DELTA) {
    return "only cumulative temporality is taken";
  }
  const points = listOf(data["dataPoints"], "dataPoints");
  if (key === "histogram") return { kind: "histogram", points };
  return { kind: data["isMonotonic"] === true ? "counter" : "gauge", points };
}

function pointsOf(metric: Message): number {
  let points = 0;
  for (const key of ["sum", "histogram", "exponentialHistogram", "summary"]) {
    if (has(metric, key)) points += listOf(messageOf(metric[key], key)["dataPoints"], key).length;
  }
  return points;
}

/** Labels with a special meaning, which senders must not set. */
const RESERVED = /^(__.*|le|quantile|service_name)$/;

/** Prefixes reserved label names, as Prometheus does. */
const freeName = (name: string): string => (RESERVED.test(name) ? `exported_${name}` : name);

function labelsOf(point: Message, service: string): string {
  const labels = new Map([["service_name", service]]);
  for (const { key, value } of attributesOf(point["attributes"])) {
    // A label with an empty name would make the whole page invalid, including other senders'
    // metrics.
    if (key !== "") labels.set(freeName(labelName(key)), valueText(value));
  }
  return [...labels].map(([key, value]) => `${key}="${escapeLabel(value)}"`).join(",");
}

function numberSamples(point: Message): Series["samples"] {
  const value = has(point, "asInt")
    ? BigInt.asIntN(64, bigintOf(point["asInt"], "asInt")).toString()
    : numberText(doubleOf(point["asDouble"], "asDouble"));
  return [["", "", value]];
}

function histogramSamples(point: Message): Series["samples"] {
  const bounds = Array.isArray(point["explicitBounds"])
    ? (point["explicitBounds"] as unknown[])
    : [];
  const counts = Array.isArray(point["bucketCounts"]) ? (point["bucketCounts"] as unknown[]) : [];
  const samples: [string, string, string][] = [];
  let sum = 0n;
  for (const [index, bound] of bounds.entries()) {
    sum += bigintOf(counts[index], "bucketCounts");
    const le = numberText(doubleOf(bound, "explicitBounds"));
    samples.push(["_bucket", `,le="${le}"`, sum.toString()]);
  }
  const count = bigintOf(point["count"], "count").toString();
  samples.push(["_bucket", ',le="+Inf"', count]);
  samples.push(["_sum", "", numberText(doubleOf(point["sum"], "sum"))]);
  samples.push(["_count", "", count]);
  return samples;
}
