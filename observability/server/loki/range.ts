/** Range aggregations such as `rate({…} | … [1m])`. */
import { AGGREGATE } from "../aggregate.ts";
import type { Budget } from "../budget.ts";
import { QueryError } from "../query-error.ts";
import type { Store } from "../store/store.ts";
import type { MetricQuery, RangeOp, Stage } from "./ast.ts";
import { sorted } from "./log-query.ts";
import {
  ERROR_LABEL,
  labelOf,
  type Labels,
  lineLabels,
  type LineLabels,
  mergedLabels,
  runStages,
  unwrapLine,
} from "./pipeline.ts";
import { readLines, type StoredLine } from "./select.ts";
import { groupLabels, limitSeries, type MetricSeries, type Steps } from "./series.ts";

type RangeQuery = MetricQuery & { kind: "range" };

/** Samples of one series; times in nanoseconds since the start of the first step's window. */
interface Samples {
  readonly labels: Labels;
  readonly times: number[];
  readonly values: number[];
}

const MAX_SAMPLES = 5_000_000;
/** Maximum number of series times steps in one range aggregation: about 50 MB. */
const MAX_POINTS = 6_000_000;

export interface RangeOptions {
  /** The labels that an outer sum keeps, if there is one; series can then be merged here. */
  readonly summedBy?: readonly string[] | undefined;
  /** Whether the series are the final result, whose number is limited. */
  readonly isAnswer?: boolean;
}

/** Evaluates at every step over (step - range, step], as Loki does. */
export async function runRange(
  store: Store,
  query: RangeQuery,
  steps: Steps,
  budget: Budget,
  { summedBy, isAnswer = false }: RangeOptions = {},
): Promise<MetricSeries[]> {
  const openNs = steps.startNs - query.offsetNs - query.rangeNs;
  const lastNs = steps.startNs - query.offsetNs + steps.stepNs * BigInt(steps.count - 1);
  const window = { startNs: openNs + 1n, endNs: lastNs + 1n };
  const plan = planOf(query, summedBy);
  const series = new Map<string, Samples>();
  let samples = 0;
  for (const row of readLines(store, query.log, window, { direction: "forward", ...plan })) {
    const pause = budget.row();
    if (pause !== undefined) await pause;
    const found = plan.sample(row);
    if (found === undefined) continue;
    samples += 1;
    if (samples > MAX_SAMPLES) {
      throw new QueryError(
        `a metric query may read at most ${MAX_SAMPLES} lines; ask for a shorter time`,
      );
    }
    let known = series.get(found.key);
    if (known === undefined) {
      known = { labels: found.labels, times: [], values: [] };
      series.set(found.key, known);
      if (isAnswer && query.op !== "absent_over_time") limitSeries(series.size);
      limitPoints(series.size, steps.count);
    }
    known.times.push(Number(row.timeNs - openNs));
    known.values.push(found.value);
  }
  const results = [...series.values()].map((one) => evaluate(query, one, steps));
  return query.op === "absent_over_time" ? absent(query, results, steps.count) : results;
}

/** Checked while lines are read, because intermediate data would be too large as well. */
function limitPoints(series: number, steps: number): void {
  if (series * steps > MAX_POINTS) {
    throw new QueryError(
      `a metric query may evaluate at most ${MAX_POINTS} points, but has ${steps} steps and at least ${series} series; ask for fewer labels, a shorter time or a longer step`,
    );
  }
}

interface Sample {
  readonly key: string;
  readonly labels: Labels;
  readonly value: number;
}

/** How samples are computed from rows, and which columns that needs. */
interface Plan {
  readonly withoutLine: boolean;
  readonly withoutMetadata: boolean;
  readonly sample: (row: StoredLine) => Sample | undefined;
}

const SUMMABLE = new Set<RangeOp>(["count_over_time", "rate", "bytes_over_time", "bytes_rate"]);

function planOf(query: RangeQuery, summedBy: readonly string[] | undefined): Plan {
  const summable = summedBy !== undefined && query.unwrap === undefined && SUMMABLE.has(query.op);
  // A sum over everything reads no labels; Loki does not parse the lines then.
  const stages =
    summable && summedBy.length === 0 ? withoutIdleParsers(query.log.stages) : query.log.stages;
  if (summable && stages.every(({ kind }) => kind === "line"))
    return quickPlan(query, stages, summedBy);
  const sample = (row: StoredLine): Sample | undefined => {
    const start = lineLabels(row.stream, JSON.parse(row.metadata) as Labels);
    const labels = runStages(stages, row.line, start);
    const found = labels === undefined ? undefined : sampleOf(query, row.line, labels);
    if (found === undefined) return undefined;
    refuseErrors(found.labels);
    const kept = summable
      ? groupLabels(found.labels, { without: false, names: summedBy })
      : found.labels;
    return { key: JSON.stringify(kept), labels: kept, value: found.value };
  };
  return { withoutLine: false, withoutMetadata: false, sample };
}

/**
 * A plan for line filters under a sum: computes the sum's labels once per stream where possible.
 */
function quickPlan(query: RangeQuery, stages: readonly Stage[], names: readonly string[]): Plan {
  const inBytes = query.op === "bytes_over_time" || query.op === "bytes_rate";
  const byStream = new Map<Labels, { key: string; labels: Labels } | undefined>();
  const grouped = (labels: Labels): { key: string; labels: Labels } => {
    const kept = groupLabels(labels, { without: false, names });
    return { key: JSON.stringify(kept), labels: kept };
  };
  const groupOf = (row: StoredLine): { key: string; labels: Labels } => {
    if (!byStream.has(row.stream)) {
      const complete = names.every((name) => Object.hasOwn(row.stream, name));
      byStream.set(row.stream, complete ? grouped(row.stream) : undefined);
    }
    const known = byStream.get(row.stream);
    if (known !== undefined) return known;
    return grouped(mergedLabels(lineLabels(row.stream, JSON.parse(row.metadata) as Labels)));
  };
  const nothing: LineLabels = { stream: {}, metadata: {}, parsed: {} };
  return {
    withoutLine: stages.length === 0 && !inBytes,
    withoutMetadata: names.every((name) => name === "service_name"),
    sample: (row) => {
      if (runStages(stages, row.line, nothing) === undefined) return undefined;
      const { key, labels } = groupOf(row);
      return { key, labels, value: inBytes ? Buffer.byteLength(row.line) : 1 };
    },
  };
}

/** Removes parsers whose results no filter reads. */
function withoutIdleParsers(stages: readonly Stage[]): readonly Stage[] {
  const filtered = stages.some(({ kind }) => kind === "filter");
  return filtered ? stages : stages.filter(({ kind }) => kind === "line");
}

function sampleOf(
  query: RangeQuery,
  line: string,
  labels: LineLabels,
): { labels: Labels; value: number } | undefined {
  if (query.unwrap === undefined) {
    const inBytes = query.op === "bytes_over_time" || query.op === "bytes_rate";
    return { labels: sorted(mergedLabels(labels)), value: inBytes ? Buffer.byteLength(line) : 1 };
  }
  const unwrapped = unwrapLine(query.unwrap, line, labels);
  if (unwrapped === undefined) return undefined;
  const all = sorted(mergedLabels(unwrapped.labels));
  const failed = labelOf(unwrapped.labels, ERROR_LABEL) !== "";
  const grouped = query.grouping === undefined || failed ? all : groupLabels(all, query.grouping);
  return { labels: grouped, value: unwrapped.value };
}

function refuseErrors(labels: Labels): void {
  const error = labels[ERROR_LABEL];
  if (error === undefined) return;
  const shown = Object.entries(labels).map(([name, value]) => `${name}=${JSON.stringify(value)}`);
  throw new QueryError(
    `pipeline error: '${error}' for series: '{${shown.join(", ")}}'.\n` +
      `Use a label filter to intentionally skip this error. (e.g | __error__!="${error}").\n` +
      `To skip all potential errors you can match empty errors.(e.g __error__="")\n` +
      `The label filter can also be specified after unwrap. (e.g | unwrap latency | __error__="" )\n`,
  );
}

function evaluate(query: RangeQuery, samples: Samples, steps: Steps): MetricSeries {
  const rangeNs = Number(query.rangeNs);
  const stepNs = Number(steps.stepNs);
  let from = 0;
  let to = 0;
  const values = Array.from({ length: steps.count }, (_, step) => {
    const open = step * stepNs;
    while (to < samples.times.length && (samples.times[to] ?? 0) <= open + rangeNs) to += 1;
    while (from < to && (samples.times[from] ?? 0) <= open) from += 1;
    return from === to ? undefined : reduce(query, samples.values, from, to, rangeNs / 1e9);
  });
  return { labels: samples.labels, values };
}

/** Value of one window, which holds at least one sample. */
function reduce(
  query: RangeQuery,
  values: readonly number[],
  from: number,
  to: number,
  seconds: number,
): number {
  const op: RangeOp = query.op;
  const inside = values.slice(from, to);
  switch (op) {
    case "count_over_time":
    case "bytes_over_time":
    case "sum_over_time":
      return AGGREGATE.sum(inside);
    case "rate":
    case "bytes_rate":
      return AGGREGATE.sum(inside) / seconds;
    case "avg_over_time":
      return AGGREGATE.avg(inside);
    case "min_over_time":
      return AGGREGATE.min(inside);
    case "max_over_time":
      return AGGREGATE.max(inside);
    case "first_over_time":
      return inside[0] ?? 0;
    case "last_over_time":
      return inside.at(-1) ?? 0;
    case "absent_over_time":
      return 1;
    case "quantile_over_time":
      return quantile(query.parameter ?? 0, inside);
  }
}

function quantile(q: number, values: readonly number[]): number {
  if (q < 0) return -Infinity;
  if (q > 1) return Infinity;
  const ordered = values.toSorted((a, b) => a - b);
  const rank = q * (ordered.length - 1);
  const low = Math.floor(rank);
  const high = Math.min(low + 1, ordered.length - 1);
  const weight = rank - low;
  return (ordered[low] ?? 0) * (1 - weight) + (ordered[high] ?? 0) * weight;
}

/**
 * 1 at every step at which no series has a value, with the labels of the selector's equality
 * matchers.
 */
function absent(
  query: RangeQuery,
  results: readonly MetricSeries[],
  count: number,
): MetricSeries[] {
  const labels = Object.fromEntries(
    query.log.matchers.filter(({ op }) => op === "=").map(({ name, value }) => [name, value]),
  );
  const values = Array.from({ length: count }, (_, step) =>
    results.some((one) => one.values[step] !== undefined) ? undefined : 1,
  );
  return values.some((value) => value !== undefined) ? [{ labels: sorted(labels), values }] : [];
}
