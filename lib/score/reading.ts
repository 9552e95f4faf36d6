/**
 * Determines what the value of a PromQL query says about a series. Pure.
 *
 * Investigators write their own queries, and a query can return any number under the name of any
 * metric. A value counts as read when the query gets it from the series by selection, aggregation
 * and the functions below. Arithmetic with constants is inverted: `1 - up` with value 1 reads `up`
 * = 0, and `rate(x[1m]) * 10` with value 300 reads 30. Everything else yields no reading:
 * arithmetic between series, other points in time, labels that the query sets.
 */
import { parser } from "@prometheus-io/lezer-promql";
import type { SyntaxNode } from "@lezer/common";

/** A label condition of a selector. */
export interface Matcher {
  readonly label: string;
  readonly op: string;
  readonly value: string;
}

/** A series whose value the query returns. */
export interface SeriesReading {
  readonly kind: "series";
  /** The metric name in the selector, with a histogram's suffix; null for a pattern. */
  readonly metric: string | null;
  readonly matchers: readonly Matcher[];
  readonly measure: "value" | "rate" | "increase" | "duration" | "count";
  /** The range of an increase, seconds. */
  readonly seconds: number;
  /** Whether the value is the minimum of several series. */
  readonly least: boolean;
  /** The query's value is `offset + factor * x`, where x is the value of the series. */
  readonly offset: number;
  readonly factor: number;
}

/** A number that the query itself contains. */
interface ConstantReading {
  readonly kind: "constant";
  readonly value: number;
}

export type Reading = SeriesReading | ConstantReading;

/** All readings that the value may have; undefined when the query reads nothing. */
export function readingsOf(query: string): readonly Reading[] | undefined {
  const tree = parser.parse(query);
  let broken = false;
  tree.iterate({ enter: ({ type }) => void (broken ||= type.isError) });
  const top = tree.topNode.firstChild;
  return broken || top === null ? undefined : new Reader(query).read(top);
}

/** The value of the series; undefined when the query's value does not determine it. */
export const undone = ({ offset, factor }: SeriesReading, value: number): number =>
  (value - offset) / factor;

/** Aggregations and functions that return one of their input values, or their sum. */
const SAME_AGGREGATES = new Set(["sum", "avg", "min", "max", "topk", "bottomk", "quantile"]);
const SAME_FUNCTIONS = new Set([
  "sort",
  "sort_desc",
  "avg_over_time",
  "min_over_time",
  "max_over_time",
  "last_over_time",
  "first_over_time",
  "quantile_over_time",
]);
const RATES = new Set(["rate", "irate", "deriv"]);
const INCREASES = new Set(["increase", "delta"]);
const COMPARISONS = new Set(["Eql", "Neq", "Gtr", "Lss", "Gte", "Lte"]);

type Readings = readonly Reading[] | undefined;

class Reader {
  readonly #query: string;

  constructor(query: string) {
    this.#query = query;
  }

  read(node: SyntaxNode): Readings {
    switch (node.name) {
      case "NumberDurationLiteral": {
        const value = Number(this.#text(node));
        return Number.isNaN(value) ? undefined : [{ kind: "constant", value }];
      }
      case "ParenExpr":
      case "SubqueryExpr":
      case "MatrixSelector":
        return this.#inner(node.firstChild);
      case "UnaryExpr": {
        const sign = this.#text(node.firstChild ?? node).startsWith("-") ? -1 : 1;
        return scaled(this.#inner(node.lastChild), 0, sign);
      }
      case "VectorSelector":
        return [this.#selector(node)];
      case "AggregateExpr":
        return this.#aggregate(node);
      case "FunctionCall":
        return this.#call(node);
      case "BinaryExpr":
        return this.#binary(node);
      default:
        return undefined;
    }
  }

  #text(node: SyntaxNode): string {
    return this.#query.slice(node.from, node.to);
  }

  #inner(node: SyntaxNode | null): Readings {
    return node === null ? undefined : this.read(node);
  }

  #selector(node: SyntaxNode): SeriesReading {
    const matchers: Matcher[] = [];
    const list = node.getChild("LabelMatchers");
    for (const matcher of list?.getChildren("UnquotedLabelMatcher") ?? []) {
      const [label, op, value] = ["LabelName", "MatchOp", "StringLiteral"].map((name) => {
        const child = matcher.getChild(name);
        return child === null ? "" : this.#text(child);
      });
      matchers.push({ label: label ?? "", op: op ?? "", value: (value ?? "").slice(1, -1) });
    }
    const name = node.getChild("Identifier");
    const named = matchers.find(({ label, op }) => label === "__name__" && op === "=")?.value;
    return {
      kind: "series",
      metric: name === null ? (named ?? null) : this.#text(name),
      matchers,
      measure: "value",
      seconds: 0,
      least: false,
      offset: 0,
      factor: 1,
    };
  }

  #aggregate(node: SyntaxNode): Readings {
    const [operation, body] = [node.getChild("AggregateOp"), node.getChild("FunctionCallBody")];
    if (operation === null || body === null) return undefined;
    const name = this.#text(operation).toLowerCase();
    const given = seriesOnly(this.#inner(body.lastChild));
    if (name === "count") return given?.map((each) => ({ ...plain(each), measure: "count" }));
    if (!SAME_AGGREGATES.has(name)) return undefined;
    return given?.map((each) => ({ ...each, least: name === "min" }));
  }

  #call(node: SyntaxNode): Readings {
    const [id, body] = [node.getChild("FunctionIdentifier"), node.getChild("FunctionCallBody")];
    const last = body?.lastChild ?? null;
    if (id === null || last === null) return undefined;
    const name = this.#text(id);
    const given = this.read(last);
    if (name === "vector")
      return given?.every(({ kind }) => kind === "constant") ? given : undefined;
    const series = seriesOnly(given);
    if (SAME_FUNCTIONS.has(name)) return series;
    if (name === "histogram_quantile") return histogram(series, /_bucket$/);
    const isRaw = series?.every(({ measure, factor }) => measure === "value" && factor === 1);
    if (isRaw !== true) return undefined;
    if (RATES.has(name)) return series?.map((each) => ({ ...each, measure: "rate" }));
    const range = last.getChild("DurationExpr");
    if (!INCREASES.has(name) || range === null) return undefined;
    const seconds = secondsOf(this.#text(range));
    return seconds === undefined
      ? undefined
      : series?.map((each) => ({ ...each, measure: "increase", seconds }));
  }

  #binary(node: SyntaxNode): Readings {
    const { firstChild, lastChild } = node;
    const operation = firstChild?.nextSibling?.name ?? "";
    if (node.getChild("BoolModifier") !== null) return undefined;
    const left = this.#inner(firstChild);
    if (operation === "And" || operation === "Unless") return left;
    const right = this.#inner(lastChild);
    if (COMPARISONS.has(operation)) return isConstant(left) ? right : left;
    if (left === undefined || right === undefined) return undefined;
    if (operation === "Or") return [...left, ...right];
    return isConstant(left) || isConstant(right)
      ? withConstant(operation, left, right)
      : average(operation, left, right);
  }
}

const isConstant = (readings: Readings): readings is readonly [ConstantReading] =>
  readings?.length === 1 && readings[0]?.kind === "constant";

/** Constants cannot be aggregated into a measurement. */
function seriesOnly(readings: Readings): readonly SeriesReading[] | undefined {
  const series = readings?.flatMap((each) => (each.kind === "series" ? [each] : []));
  return series?.length === readings?.length ? series : undefined;
}

const plain = (reading: SeriesReading): SeriesReading => ({ ...reading, offset: 0, factor: 1 });

function scaled(readings: Readings, offset: number, factor: number): Readings {
  if (factor === 0 || !Number.isFinite(factor) || !Number.isFinite(offset)) return undefined;
  return readings?.map((each) =>
    each.kind === "constant"
      ? { ...each, value: offset + factor * each.value }
      : { ...each, offset: offset + factor * each.offset, factor: factor * each.factor },
  );
}

/** The value of `constant operation readings`, or with the operands exchanged. */
function withConstant(
  operation: string,
  left: readonly Reading[],
  right: readonly Reading[],
): Readings {
  if (isConstant(right)) {
    const { value } = right[0];
    if (operation === "Add") return scaled(left, value, 1);
    if (operation === "Sub") return scaled(left, -value, 1);
    if (operation === "Mul") return scaled(left, 0, value);
    return operation === "Div" ? scaled(left, 0, 1 / value) : undefined;
  }
  if (!isConstant(left)) return undefined;
  const { value } = left[0];
  if (operation === "Add") return scaled(right, value, 1);
  if (operation === "Sub") return scaled(right, value, -1);
  return operation === "Mul" ? scaled(right, 0, value) : undefined;
}

/** The average of a histogram is its sum divided by its count; no other division is a reading. */
function average(operation: string, left: readonly Reading[], right: readonly Reading[]): Readings {
  const [sum, ...others] = histogram(seriesOnly(left), /_sum$/) ?? [];
  const [count, ...more] = histogram(seriesOnly(right), /_count$/) ?? [];
  if (operation !== "Div" || sum === undefined || count === undefined) return undefined;
  const isOne = others.length + more.length === 0 && sum.metric === count.metric;
  const isPlain = [sum, count].every(({ offset, factor }) => offset === 0 && factor === 1);
  return isOne && isPlain ? [sum] : undefined;
}

/** A histogram of durations: series with these suffixes. */
function histogram(
  series: readonly SeriesReading[] | undefined,
  suffix: RegExp,
): readonly SeriesReading[] | undefined {
  return series?.every(({ metric, measure }) => suffix.test(metric ?? "") && measure !== "count")
    ? series.map((each) => ({
        ...each,
        metric: each.metric?.replace(suffix, "") ?? null,
        measure: "duration",
      }))
    : undefined;
}

const UNIT_SECONDS: Readonly<Record<string, number>> = {
  ms: 0.001,
  s: 1,
  m: 60,
  h: 3600,
  d: 86_400,
};

function secondsOf(duration: string): number | undefined {
  const parts = [...duration.matchAll(/(\d+)(ms|[smhd])/g)];
  const isWhole = parts.map(([part]) => part).join("") === duration && parts.length > 0;
  if (!isWhole) return undefined;
  return parts.reduce((sum, [, n, unit]) => sum + Number(n) * (UNIT_SECONDS[unit ?? ""] ?? 0), 0);
}
