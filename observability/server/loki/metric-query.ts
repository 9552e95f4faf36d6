/** Metric queries: range aggregations over lines, aggregations over series, arithmetic. */
import { COMPARE } from "../../../lib/base/compare.ts";
import { AGGREGATE } from "../aggregate.ts";
import type { Budget } from "../budget.ts";
import { QueryError } from "../query-error.ts";
import type { Store } from "../store/store.ts";
import type { BinaryOp, CompareOp, MetricQuery } from "./ast.ts";
import { sorted } from "./log-query.ts";
import type { Labels } from "./pipeline.ts";
import { runRange } from "./range.ts";
import { groupLabels, limitSeries, type MetricSeries, type Steps } from "./series.ts";

export type MetricResult =
  { readonly scalar: number } | { readonly series: readonly MetricSeries[] };

/** Evaluates a metric query at every step; throws QueryError when its result would be too large. */
export async function runMetricQuery(
  store: Store,
  query: MetricQuery,
  steps: Steps,
  budget: Budget,
): Promise<MetricResult> {
  if (query.kind === "range") {
    return { series: await runRange(store, query, steps, budget, { isAnswer: true }) };
  }
  const result = await evaluate(store, query, steps, budget);
  if ("series" in result) limitSeries(result.series.length);
  return result;
}

async function evaluate(
  store: Store,
  query: MetricQuery,
  steps: Steps,
  budget: Budget,
): Promise<MetricResult> {
  switch (query.kind) {
    case "number":
      return { scalar: query.value };
    case "range":
      return { series: await runRange(store, query, steps, budget) };
    case "vector": {
      const inner =
        query.inner.kind === "range"
          ? {
              series: await runRange(store, query.inner, steps, budget, {
                summedBy: summedBy(query),
              }),
            }
          : await evaluate(store, query.inner, steps, budget);
      return { series: aggregate(query, seriesOf(inner, steps), steps.count) };
    }
    case "binary": {
      const left = await evaluate(store, query.left, steps, budget);
      const right = await evaluate(store, query.right, steps, budget);
      return binary(query.op, query.bool, left, right);
    }
  }
}

/**
 * The labels that a sum keeps; the range aggregation below can merge series that differ in others
 * only.
 */
function summedBy({ op, grouping }: VectorQuery): readonly string[] | undefined {
  return op === "sum" && !grouping.without ? grouping.names : undefined;
}

/** Converts a result into series; a scalar becomes one series without labels. */
export function seriesOf(result: MetricResult, steps: Steps): readonly MetricSeries[] {
  if ("series" in result) return result.series;
  return [{ labels: {}, values: Array.from({ length: steps.count }, () => result.scalar) }];
}

type VectorQuery = MetricQuery & { kind: "vector" };

function aggregate(
  query: VectorQuery,
  series: readonly MetricSeries[],
  count: number,
): MetricSeries[] {
  const groups = new Map<string, { labels: Labels; members: MetricSeries[] }>();
  for (const one of series) {
    const labels = groupLabels(one.labels, query.grouping);
    const key = JSON.stringify(labels);
    const group = groups.get(key) ?? { labels, members: [] };
    group.members.push(one);
    groups.set(key, group);
  }
  const { op } = query;
  if (op === "topk" || op === "bottomk") {
    return [...groups.values()].flatMap(({ members }) => ranked(query, members, count));
  }
  return [...groups.values()].map(({ labels, members }) => ({
    labels,
    values: Array.from({ length: count }, (_, step) => {
      const values = members
        .map((one) => one.values[step])
        .filter((value): value is number => value !== undefined);
      return values.length === 0 ? undefined : AGGREGATE[op](values);
    }),
  }));
}

/** At each step, keeps the values of the k largest (or smallest) series of a group. */
function ranked(
  query: VectorQuery,
  members: readonly MetricSeries[],
  count: number,
): MetricSeries[] {
  const limit = Math.max(0, Math.floor(query.parameter ?? 0));
  const sign = query.op === "topk" ? -1 : 1;
  const out = members.map(({ labels }) => ({
    labels,
    values: Array.from<number | undefined>({ length: count }),
  }));
  for (let step = 0; step < count; step += 1) {
    const order = members
      .map((one, index) => ({ index, value: one.values[step] }))
      .filter((one): one is { index: number; value: number } => one.value !== undefined)
      .toSorted((a, b) => sign * (a.value - b.value))
      .slice(0, limit);
    for (const { index, value } of order) {
      const series = out[index];
      if (series !== undefined) series.values[step] = value;
    }
  }
  return out.filter(({ values }) => values.some((value) => value !== undefined));
}

const isComparison = (op: BinaryOp): op is CompareOp => /^([<>]=?|[=!]=)$/.test(op);

function calculate(op: BinaryOp, bool: boolean, left: number, right: number): number | undefined {
  if (isComparison(op)) {
    const holds = COMPARE[op](left, right);
    if (bool) return holds ? 1 : 0;
    return holds ? left : undefined;
  }
  switch (op) {
    case "+":
      return left + right;
    case "-":
      return left - right;
    case "*":
      return left * right;
    case "/":
      return left / right;
    case "%":
      return left % right;
    case "^":
      return left ** right;
    default:
      throw new QueryError(`parse error : unknown operator ${String(op)}`);
  }
}

function binary(
  op: BinaryOp,
  bool: boolean,
  left: MetricResult,
  right: MetricResult,
): MetricResult {
  if ("scalar" in left && "scalar" in right) {
    // Between two numbers, a comparison returns 0 or 1.
    return { scalar: calculate(op, true, left.scalar, right.scalar) ?? 0 };
  }
  if ("scalar" in right && "series" in left) {
    return { series: mapped(left.series, (value) => calculate(op, bool, value, right.scalar)) };
  }
  if ("scalar" in left && "series" in right) {
    return {
      series: mapped(right.series, (value) => {
        const result = calculate(op, bool, left.scalar, value);
        // A comparison returns the value of the series, on either side.
        return isComparison(op) && !bool && result !== undefined ? value : result;
      }),
    };
  }
  return {
    series:
      "series" in left && "series" in right ? joined(op, bool, left.series, right.series) : [],
  };
}

function joined(
  op: BinaryOp,
  bool: boolean,
  left: readonly MetricSeries[],
  right: readonly MetricSeries[],
): MetricSeries[] {
  const others = new Map(right.map((one) => [JSON.stringify(sorted(one.labels)), one]));
  const out: MetricSeries[] = [];
  for (const one of left) {
    const other = others.get(JSON.stringify(sorted(one.labels)));
    if (other === undefined) continue;
    const values = one.values.map((value, step) => {
      const against = other.values[step];
      if (value === undefined || against === undefined) return undefined;
      return calculate(op, bool, value, against);
    });
    if (values.some((value) => value !== undefined)) out.push({ labels: one.labels, values });
  }
  return out;
}

function mapped(
  series: readonly MetricSeries[],
  change: (value: number) => number | undefined,
): MetricSeries[] {
  return series
    .map(({ labels, values }) => ({
      labels,
      values: values.map((value) => (value === undefined ? undefined : change(value))),
    }))
    .filter(({ values }) => values.some((value) => value !== undefined));
}
