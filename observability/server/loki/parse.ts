/** Parses LogQL with Grafana's own grammar; the error for an unsupported construct names it. */
import { parser } from "@grafana/lezer-logql";
import type { SyntaxNode } from "@lezer/common";
import { QueryError } from "../query-error.ts";
import { childrenOf, durationNs, precedenceOf, Source } from "../syntax.ts";
import {
  BINARY_OPS,
  type BinaryOp,
  type Grouping,
  type LogQuery,
  type MetricQuery,
  type Query,
  RANGE_OPS,
  type RangeOp,
  VECTOR_OPS,
  type VectorOp,
} from "./ast.ts";
import { matcherFrom } from "./parse-parts.ts";
import { stagesFrom, unwrapFrom } from "./parse-stages.ts";

const MAX_DEPTH = 64;

/**
 * Parses a query; throws QueryError with the position of a syntax error or the name of an
 * unsupported construct.
 */
export function parseLogQl(text: string): Query {
  const source = new Source({ name: "LogQL", parser, blame: "parse error" }, text);
  return queryFrom(source, source.only(source.tree(), "Expr"), 0);
}

function queryFrom(source: Source, node: SyntaxNode, depth: number): Query {
  if (depth > MAX_DEPTH) throw new QueryError(`a query must nest at most ${MAX_DEPTH} deep`);
  switch (node.name) {
    case "Expr":
    case "MetricExpr": {
      const inner = node.firstChild;
      if (inner === null) throw source.invalid("unexpected $end");
      return queryFrom(source, inner, depth + 1);
    }
    case "LogExpr":
      return logFrom(source, node);
    case "RangeAggregationExpr":
      return rangeFrom(source, node);
    case "VectorAggregationExpr":
      return vectorFrom(source, node, depth);
    case "BinOpExpr":
      return binaryFrom(source, node, depth);
    case "LiteralExpr":
      return { kind: "number", value: Number(source.text(node).replaceAll(" ", "")) };
    default:
      throw source.unsupported(source.head(node));
  }
}

function metricFrom(source: Source, node: SyntaxNode, depth: number): MetricQuery {
  const query = queryFrom(source, node, depth + 1);
  if (query.kind === "log") {
    throw source.invalid("a metric query was expected, but this is a log query");
  }
  return query;
}

function logFrom(source: Source, node: SyntaxNode): LogQuery {
  const matchers = matchersFrom(source, source.only(node, "Selector"));
  const pipeline = node.getChild("PipelineExpr");
  return { kind: "log", matchers, stages: pipeline === null ? [] : stagesFrom(source, pipeline) };
}

function matchersFrom(source: Source, selector: SyntaxNode) {
  const matchers = source.all(selector, "Matcher").map((one) => matcherFrom(source, one));
  if (matchers.every(matchesEmpty)) {
    throw source.invalid(
      'queries require at least one regexp or equality matcher that does not have an empty-compatible value. For instance, app=~".*" does not meet this requirement, but app=~".+" will',
    );
  }
  return matchers;
}

function matchesEmpty({ op, value, test }: ReturnType<typeof matcherFrom>): boolean {
  if (op === "=") return value === "";
  if (op === "!=") return value !== "";
  return (test?.("") ?? false) === (op === "=~");
}

function rangeFrom(source: Source, node: SyntaxNode): MetricQuery {
  const name = source.text(source.only(node, "RangeOp"));
  if (!(RANGE_OPS as readonly string[]).includes(name)) throw source.unsupported(`${name}()`);
  const op = name as RangeOp;
  const log = source.only(node, "LogRangeExpr");
  const range = durationNs(source.text(source.only(log, "Range")).replaceAll(/[[\]\s]/g, ""));
  if (range === undefined || range <= 0) throw source.invalid("a range must be longer than zero");
  const offset = log.getChild("OffsetExpr");
  const offsetNs =
    offset === null ? 0 : (durationNs(source.text(source.only(offset, "Duration"))) ?? 0);
  const unwrapNode = log.getChild("UnwrapExpr");
  const parameter = node.getChild("Number");
  const grouping = node.getChild("Grouping");
  const needsUnwrap = !/^(count_over_time|rate|bytes_.*|absent_over_time)$/.test(op);
  if (needsUnwrap && unwrapNode === null) {
    throw source.invalid(`invalid aggregation ${op} without unwrap`);
  }
  if (/^(count_over_time|bytes_.*)$/.test(op) && unwrapNode !== null) {
    throw source.invalid(`invalid aggregation ${op} with unwrap`);
  }
  if (
    grouping !== null &&
    (op === "count_over_time" ||
      op === "bytes_over_time" ||
      op === "bytes_rate" ||
      (op === "rate" && unwrapNode === null))
  ) {
    throw source.invalid(`grouping not allowed for ${op} aggregation`);
  }
  if (op === "quantile_over_time" && parameter === null) {
    throw source.invalid("quantile_over_time requires a parameter");
  }
  return {
    kind: "range",
    op,
    log: logFrom(source, log),
    rangeNs: BigInt(Math.round(range)),
    offsetNs: BigInt(Math.round(offsetNs)),
    ...(unwrapNode === null ? {} : { unwrap: unwrapFrom(source, unwrapNode) }),
    ...(parameter === null ? {} : { parameter: Number(source.text(parameter)) }),
    ...(grouping === null ? {} : { grouping: groupingFrom(source, grouping) }),
  };
}

function groupingFrom(source: Source, node: SyntaxNode | null): Grouping {
  if (node === null) return { without: false, names: [] };
  const labels = node.getChild("Labels");
  const names =
    labels === null ? [] : source.all(labels, "Identifier").map((one) => source.text(one));
  return { without: node.getChild("Without") !== null, names };
}

function vectorFrom(source: Source, node: SyntaxNode, depth: number): MetricQuery {
  const name = source.text(source.only(node, "VectorOp"));
  if (!(VECTOR_OPS as readonly string[]).includes(name)) throw source.unsupported(`${name}()`);
  const op = name as VectorOp;
  const number = node.getChild("Number");
  const ranked = op === "topk" || op === "bottomk";
  if (ranked && number === null) throw source.invalid(`parameter required for operation ${op}`);
  if (!ranked && number !== null) {
    throw source.invalid(`unsupported parameter for operation ${op}(${source.text(number)},`);
  }
  return {
    kind: "vector",
    op,
    inner: metricFrom(source, source.only(node, "MetricExpr"), depth),
    grouping: groupingFrom(source, node.getChild("Grouping")),
    ...(number === null ? {} : { parameter: Number(source.text(number)) }),
  };
}

/** Precedence of operators; the grammar's tree is flat, so they are grouped here. */
const PRECEDENCE = precedenceOf([
  ["==", "!=", ">", ">=", "<", "<="],
  ["+", "-"],
  ["*", "/", "%"],
  ["^"],
]);

interface Operator {
  readonly op: BinaryOp;
  readonly bool: boolean;
}

function binaryFrom(source: Source, node: SyntaxNode, depth: number): MetricQuery {
  const items: (MetricQuery | Operator)[] = [];
  flatten(source, node, depth, items);
  let at = 0;
  const climb = (min: number): MetricQuery => {
    let left = items[at] as MetricQuery;
    at += 1;
    for (;;) {
      const operator = items[at] as Operator | undefined;
      if (operator === undefined) return left;
      const precedence = PRECEDENCE.get(operator.op) ?? 0;
      if (precedence < min) return left;
      at += 1;
      // `^` is right-associative, all others are left-associative.
      const right = climb(precedence + (operator.op === "^" ? 0 : 1));
      left = { kind: "binary", op: operator.op, bool: operator.bool, left, right };
    }
  };
  return climb(0);
}

function flatten(
  source: Source,
  node: SyntaxNode,
  depth: number,
  items: (MetricQuery | Operator)[],
): void {
  const [left, operator, modifier, right] = childrenOf(node);
  if (
    left === undefined ||
    operator === undefined ||
    right === undefined ||
    modifier === undefined
  ) {
    throw source.invalid("a binary operation needs two sides");
  }
  const name = source.text(operator).trim();
  if (!(BINARY_OPS as readonly string[]).includes(name))
    throw source.unsupported(`operator ${name}`);
  const matching = modifier.getChild("OnOrIgnoringModifier");
  if (matching !== null) throw source.unsupported(`${source.head(matching)}()`);
  for (const [index, side] of [left, right].entries()) {
    if (index === 1) items.push({ op: name as BinaryOp, bool: modifier.getChild("Bool") !== null });
    const inner = bareBinary(side);
    if (inner !== undefined && depth < MAX_DEPTH) flatten(source, inner, depth + 1, items);
    else items.push(metricFrom(source, side, depth));
  }
}

/** The binary operation that an operand consists of, unless it is in parentheses. */
function bareBinary(side: SyntaxNode): SyntaxNode | undefined {
  let node: SyntaxNode = side;
  while (node.name !== "BinOpExpr") {
    const inner = node.firstChild;
    if (inner === null || inner.from !== node.from || inner.to !== node.to) return undefined;
    node = inner;
  }
  return node;
}
