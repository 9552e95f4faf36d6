/**
 * Trace search: reads candidates from the store, evaluates whole traces, summarises them like
 * Tempo.
 */
import type { Budget } from "../budget.ts";
import { STATUSES } from "../otlp/span-enums.ts";
import { type JsonValue, valueText } from "../otlp/values.ts";
import type { Store } from "../store/store.ts";
import type { Expression, Field, Spanset, TraceQuery } from "./ast.ts";
import { evaluateQuery, fieldValue, holds, type Trace, traceOf } from "./evaluate.ts";
import { loadTrace, readSpans, type Span, type SpanConditions } from "./traces.ts";

export interface SearchOptions {
  readonly startNs: bigint;
  readonly endNs: bigint;
  readonly limit: number;
  readonly spansPerSpanset: number;
}

/** A search's result, and the number of inspected traces and spans. */
export interface SearchResult {
  readonly traces: readonly unknown[];
  readonly inspectedTraces: number;
  readonly inspectedSpans: number;
}

/** Finds traces with a matching span in [start, end), the newest span first. */
export async function searchTraces(
  store: Store,
  query: TraceQuery,
  options: SearchOptions,
  budget: Budget,
): Promise<SearchResult> {
  const base: SpanConditions = { startNs: options.startNs, endNs: options.endNs, contains: [] };
  const filters = candidateFilters(query.spanset, base);
  const [only] = filters;
  const conditions = filters.length === 1 && only !== undefined ? conditionsOf(only, base) : base;
  const seen = new Set<string>();
  const traces: unknown[] = [];
  let inspectedSpans = 0;
  for (const span of readSpans(store, conditions)) {
    if (traces.length >= options.limit) break;
    const pause = budget.row();
    if (pause !== undefined) await pause;
    inspectedSpans += 1;
    if (seen.has(span.traceId) || !filters.some((filter) => holds(filter, span, undefined)))
      continue;
    seen.add(span.traceId);
    const rest = budget.row(ROWS_PER_TRACE);
    if (rest !== undefined) await rest;
    const trace = traceOf(loadTrace(store, span.traceId));
    const matched = evaluateQuery(query, trace);
    if (matched.length > 0) traces.push(summary(trace, matched, query, options.spansPerSpanset));
  }
  return { traces, inspectedTraces: seen.size, inspectedSpans };
}

/** Cost of loading a trace, in rows. */
const ROWS_PER_TRACE = 32;

/**
 * Filters of which a matching trace satisfies at least one. `a && b` and relations need both sides,
 * so the search uses the side that SQLite can filter better.
 */
function candidateFilters(spanset: Spanset, base: SpanConditions): Expression[] {
  if (spanset.kind === "filter") return [spanset.expression];
  const left = candidateFilters(spanset.left, base);
  const right = candidateFilters(spanset.right, base);
  if (spanset.op === "||") return [...left, ...right];
  const weigh = (filters: readonly Expression[]): number => {
    const [only] = filters;
    if (filters.length !== 1 || only === undefined) return -1;
    const { contains, ...others } = conditionsOf(only, base);
    return contains.length + Object.keys(others).length;
  };
  return weigh(right) > weigh(left) ? right : left;
}

function filtersOf(spanset: Spanset): Expression[] {
  if (spanset.kind === "filter") return [spanset.expression];
  return [...filtersOf(spanset.left), ...filtersOf(spanset.right)];
}

/** The part of an expression that SQLite can check: comparisons that must hold in any case. */
function conditionsOf(expression: Expression, base: SpanConditions): SpanConditions {
  if (expression.kind === "and")
    return conditionsOf(expression.right, conditionsOf(expression.left, base));
  if (expression.kind !== "compare" || expression.right.kind !== "value") return base;
  const { left, op } = expression;
  const { value } = expression.right;
  if (left.kind === "value") return base;
  if (left.kind === "attribute") {
    if (op !== "=" || value.kind !== "string") return base;
    // By OpenTelemetry's conventions, service.name is an attribute of resources only.
    if (left.name === "service.name" && left.scope !== "span")
      return { ...base, service: value.value };
    if (left.scope !== "span") return base;
    const text = JSON.stringify({ stringValue: value.value } satisfies JsonValue);
    return { ...base, contains: [...base.contains, text] };
  }
  if (left.name === "name" && op === "=" && value.kind === "string")
    return { ...base, name: value.value };
  if (left.name === "status" && op === "=" && value.kind === "status") {
    return { ...base, status: (STATUSES as readonly string[]).indexOf(value.value) };
  }
  if (left.name === "duration" && (op === ">" || op === ">=") && value.kind === "duration") {
    return { ...base, minDurationNs: Math.max(value.value, base.minDurationNs ?? 0) };
  }
  return base;
}

function summary(
  trace: Trace,
  matched: readonly Span[],
  query: TraceQuery,
  perSet: number,
): unknown {
  const fields = shownFields(query);
  const spans = matched.slice(0, perSet).map((span) => ({
    spanID: span.spanId,
    name: span.name,
    startTimeUnixNano: span.startNs.toString(),
    durationNanos: span.durationNs.toString(),
    attributes: fields.flatMap((field) => shownAttribute(field, span, trace)),
  }));
  const spanSet = { spans, matched: matched.length };
  const stats = new Map<string, { spanCount: number; errorCount?: number }>();
  for (const span of trace.spans) {
    const one = stats.get(span.origin.service) ?? { spanCount: 0 };
    one.spanCount += 1;
    if (span.status === "error") one.errorCount = (one.errorCount ?? 0) + 1;
    stats.set(span.origin.service, one);
  }
  return {
    traceID: trace.spans[0]?.traceId ?? "",
    rootServiceName: trace.root?.origin.service ?? "<root span not yet received>",
    rootTraceName: trace.root?.name ?? "",
    startTimeUnixNano: trace.startNs.toString(),
    durationMs: Number(trace.durationNs / 1_000_000n),
    spanSet,
    spanSets: [spanSet],
    serviceStats: Object.fromEntries(stats),
  };
}

/** The attributes in the query, which are shown with each span. */
function shownFields(query: TraceQuery): Field[] {
  const fields = new Map<string, Field>();
  const add = (field: Field): void => {
    if (field.kind === "attribute") fields.set(`${field.scope}.${field.name}`, field);
  };
  const visit = (expression: Expression): void => {
    if (expression.kind === "and" || expression.kind === "or") {
      visit(expression.left);
      visit(expression.right);
    } else if (expression.kind === "not") visit(expression.inner);
    else if (expression.kind === "truth") add(expression.field);
    else if (expression.kind === "compare" && expression.left.kind === "attribute")
      add(expression.left);
  };
  for (const filter of filtersOf(query.spanset)) visit(filter);
  for (const stage of query.stages) {
    if (stage.kind === "select") for (const field of stage.fields) add(field);
    if (stage.kind === "filter") for (const filter of filtersOf(stage.spanset)) visit(filter);
  }
  return [...fields.values()];
}

function shownAttribute(
  field: Field,
  span: Span,
  trace: Trace,
): { key: string; value: JsonValue }[] {
  const value = fieldValue(field, span, trace);
  if (value === undefined || field.kind !== "attribute") return [];
  if (typeof value === "string") return [{ key: field.name, value: { stringValue: value } }];
  if (typeof value === "boolean") return [{ key: field.name, value: { boolValue: value } }];
  const number: JsonValue = Number.isInteger(value)
    ? { intValue: String(value) }
    : { doubleValue: value };
  return [{ key: field.name, value: number }];
}

/** Names and values of attributes among the newest spans. */
export class TagIndex {
  readonly span = new Map<string, Map<string, string>>();
  readonly resource = new Map<string, Map<string, string>>();
  readonly names = new Set<string>();

  /** Reads at most the newest 20,000 spans, because names and values repeat. */
  constructor(store: Store) {
    for (const [, origin] of store.origins.entries()) {
      const { attributes } = JSON.parse(origin.resource) as { attributes: Span["attributes"] };
      for (const { key, value } of attributes) remember(this.resource, key, value);
    }
    const rows = store.reader
      .query("SELECT name, attributes FROM spans ORDER BY id DESC LIMIT 20000")
      .all() as { name: string; attributes: string }[];
    const seen = new Set<string>();
    for (const row of rows) {
      this.names.add(row.name);
      if (seen.has(row.attributes)) continue;
      seen.add(row.attributes);
      for (const { key, value } of JSON.parse(row.attributes) as Span["attributes"]) {
        remember(this.span, key, value);
      }
    }
  }
}

const MAX_VALUES_PER_TAG = 1000;

function remember(into: Map<string, Map<string, string>>, key: string, value: JsonValue): void {
  const values = into.get(key) ?? new Map<string, string>();
  into.set(key, values);
  if (values.size >= MAX_VALUES_PER_TAG) return;
  const type =
    "stringValue" in value
      ? "string"
      : "intValue" in value
        ? "int"
        : "doubleValue" in value
          ? "float"
          : "bool";
  values.set(valueText(value), type);
}
