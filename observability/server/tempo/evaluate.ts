/** Evaluates TraceQL on one trace. */
import { COMPARE } from "../../../lib/base/compare.ts";
import { AGGREGATE } from "../aggregate.ts";
import { plainValue } from "../otlp/values.ts";
import type {
  CompareOp,
  Expression,
  Field,
  Operand,
  PipelineStage,
  Spanset,
  TraceQuery,
} from "./ast.ts";
import type { Span } from "./traces.ts";

/** A trace with its root and times. */
export interface Trace {
  readonly spans: readonly Span[];
  readonly root: Span | undefined;
  readonly startNs: bigint;
  readonly durationNs: bigint;
}

/** Makes a trace; `spans` must not be empty, and be sorted by start. */
export function traceOf(spans: readonly Span[]): Trace {
  const root = spans.find(({ parentId }) => parentId === "");
  const startNs = spans[0]?.startNs ?? 0n;
  const endNs = spans.reduce((end, span) => {
    const own = span.startNs + span.durationNs;
    return own > end ? own : end;
  }, startNs);
  return { spans, root, startNs, durationNs: endNs - startNs };
}

/** The spans that match the query; stages can remove some. */
export function evaluateQuery(query: TraceQuery, trace: Trace): readonly Span[] {
  let matched = evaluateSpanset(query.spanset, trace, trace.spans);
  for (const stage of query.stages) {
    if (matched.length === 0) return [];
    matched = evaluateStage(stage, trace, matched);
  }
  return matched;
}

function evaluateStage(
  stage: PipelineStage,
  trace: Trace,
  matched: readonly Span[],
): readonly Span[] {
  if (stage.kind === "select") return matched;
  if (stage.kind === "filter") return evaluateSpanset(stage.spanset, trace, matched);
  const { field } = stage;
  const numbers =
    field === undefined
      ? []
      : matched
          .map((span) => fieldValue(field, span, trace))
          .filter((value): value is number => typeof value === "number");
  const values = stage.aggregate === "count" ? matched.map(() => 1) : numbers;
  if (values.length === 0) return [];
  return compareValues(stage.op, AGGREGATE[stage.aggregate](values), stage.value) ? matched : [];
}

function evaluateSpanset(spanset: Spanset, trace: Trace, among: readonly Span[]): readonly Span[] {
  if (spanset.kind === "filter") {
    return among.filter((span) => holds(spanset.expression, span, trace));
  }
  const left = evaluateSpanset(spanset.left, trace, among);
  const right = evaluateSpanset(spanset.right, trace, among);
  if (spanset.op === "||") return [...new Set([...left, ...right])];
  if (left.length === 0 || right.length === 0) return [];
  if (spanset.op === "&&") return [...new Set([...left, ...right])];
  return related(spanset.op, left, right, trace);
}

/** The spans of the right side that are related to a span of the left side. */
function related(
  op: ">" | ">>" | "<" | "<<" | "~",
  left: readonly Span[],
  right: readonly Span[],
  trace: Trace,
): readonly Span[] {
  const leftIds = new Set(left.map(({ spanId }) => spanId));
  const parents = new Map(trace.spans.map(({ spanId, parentId }) => [spanId, parentId]));
  const ancestors = (id: string): string[] => {
    const out: string[] = [];
    for (let at = parents.get(id) ?? ""; at !== "" && !out.includes(at); at = parents.get(at) ?? "")
      out.push(at);
    return out;
  };
  switch (op) {
    case ">":
      return right.filter(({ parentId }) => leftIds.has(parentId));
    case ">>":
      return right.filter(({ spanId }) => ancestors(spanId).some((id) => leftIds.has(id)));
    case "<": {
      const wanted = new Set(left.map(({ parentId }) => parentId));
      return right.filter(({ spanId }) => wanted.has(spanId));
    }
    case "<<": {
      const wanted = new Set(left.flatMap(({ spanId }) => ancestors(spanId)));
      return right.filter(({ spanId }) => wanted.has(spanId));
    }
    case "~":
      return right.filter(
        ({ spanId, parentId }) =>
          parentId !== "" && left.some((one) => one.parentId === parentId && one.spanId !== spanId),
      );
  }
}

/**
 * Whether a span satisfies an expression. Without `trace`, conditions on the whole trace count as
 * satisfied, so that the result includes all candidates.
 */
export function holds(expression: Expression, span: Span, trace: Trace | undefined): boolean {
  switch (expression.kind) {
    case "constant":
      return expression.value;
    case "and":
      return holds(expression.left, span, trace) && holds(expression.right, span, trace);
    case "or":
      return holds(expression.left, span, trace) || holds(expression.right, span, trace);
    case "not":
      return trace === undefined && needsTrace(expression.inner)
        ? true
        : !holds(expression.inner, span, trace);
    case "truth":
      return fieldValue(expression.field, span, trace) === true;
    case "compare":
      if (trace === undefined && needsTrace(expression)) return true;
      return compareOperands(expression, span, trace);
  }
}

const TRACE_FIELDS = new Set(["rootName", "rootServiceName", "traceDuration"]);

/** Whether an expression has a condition on the whole trace. */
export function needsTrace(expression: Expression): boolean {
  switch (expression.kind) {
    case "and":
    case "or":
      return needsTrace(expression.left) || needsTrace(expression.right);
    case "not":
      return needsTrace(expression.inner);
    case "truth":
      return isTraceField(expression.field);
    case "compare":
      return isTraceField(expression.left) || isTraceField(expression.right);
    case "constant":
      return false;
  }
}

const isTraceField = (operand: Operand): boolean =>
  operand.kind === "intrinsic" && TRACE_FIELDS.has(operand.name);

function compareOperands(
  expression: Expression & { kind: "compare" },
  span: Span,
  trace: Trace | undefined,
): boolean {
  const { left, op, right, test } = expression;
  const a = operandValue(left, span, trace);
  const b = operandValue(right, span, trace);
  // nil tests whether a field exists; any other comparison with an absent field is false.
  if (right.kind === "value" && right.value.kind === "nil")
    return op === "!=" ? a !== undefined : a === undefined;
  if (a === undefined || b === undefined) return false;
  if (op === "=~") return typeof a === "string" && (test?.(a) ?? false);
  if (op === "!~") return typeof a === "string" && !(test?.(a) ?? false);
  return compareValues(op, a, b);
}

type Plain = string | number | boolean;

function compareValues(op: CompareOp, a: Plain, b: Plain): boolean {
  if (typeof a !== typeof b || op === "=~" || op === "!~") return false;
  return COMPARE[op === "=" ? "==" : op](a, b);
}

function operandValue(operand: Operand, span: Span, trace: Trace | undefined): Plain | undefined {
  if (operand.kind !== "value") return fieldValue(operand, span, trace);
  return operand.value.kind === "nil" ? undefined : operand.value.value;
}

/** The value of a span's field; undefined when it is absent. */
export function fieldValue(field: Field, span: Span, trace: Trace | undefined): Plain | undefined {
  if (field.kind === "attribute") return attributeValue(field, span);
  switch (field.name) {
    case "duration":
      return Number(span.durationNs);
    case "name":
      return span.name;
    case "status":
      return span.status;
    case "statusMessage": {
      const message = span.rest["statusMessage"];
      return typeof message === "string" ? message : "";
    }
    case "kind":
      return span.kind;
    case "trace:id":
      return span.traceId;
    case "span:id":
      return span.spanId;
    case "rootName":
      return trace?.root?.name;
    case "rootServiceName":
      return trace?.root?.origin.service;
    case "traceDuration":
      return trace === undefined ? undefined : Number(trace.durationNs);
  }
}

const resources = new Map<string, Map<string, Plain>>();

function attributeValue(field: Field & { kind: "attribute" }, span: Span): Plain | undefined {
  if (field.scope !== "resource") {
    const found = span.attributes.find(({ key }) => key === field.name);
    if (found !== undefined) return plain(plainValue(found.value));
    if (field.scope === "span") return undefined;
  }
  return resourceAttributes(span.origin.resource).get(field.name);
}

function plain(value: unknown): Plain | undefined {
  const isPlain =
    typeof value === "string" || typeof value === "number" || typeof value === "boolean";
  return isPlain ? value : undefined;
}

/**
 * Resources repeat in every span, so they are parsed once; the cache is cleared when it is full.
 */
function resourceAttributes(text: string): Map<string, Plain> {
  const known = resources.get(text);
  if (known !== undefined) return known;
  if (resources.size > 1000) resources.clear();
  const parsed = JSON.parse(text) as { attributes: Span["attributes"] };
  const values = new Map<string, Plain>();
  for (const { key, value } of parsed.attributes) {
    const one = plain(plainValue(value));
    if (one !== undefined) values.set(key, one);
  }
  resources.set(text, values);
  return values;
}
