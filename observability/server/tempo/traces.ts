/** Reads spans from the store: one whole trace, or the spans of a time window, newest first. */
import { hexToBase64 } from "../otlp/decode-traces.ts";
import { SPAN_KINDS, spanKindName, STATUSES, statusCodeName } from "../otlp/span-enums.ts";
import type { JsonAttribute } from "../otlp/values.ts";
import type { Origin } from "../store/rows.ts";
import { readMerged } from "../store/merge.ts";
import type { Store } from "../store/store.ts";

interface Row {
  readonly trace_id: string;
  readonly span_id: string;
  readonly parent_id: string;
  readonly origin: bigint;
  readonly name: string;
  readonly kind: bigint;
  readonly status: bigint;
  readonly start_ns: bigint;
  readonly duration_ns: bigint;
  readonly attributes: string;
  readonly rest: string;
}

/** A span for queries. */
export class Span {
  readonly traceId: string;
  readonly spanId: string;
  readonly parentId: string;
  readonly name: string;
  readonly kind: (typeof SPAN_KINDS)[number];
  readonly status: (typeof STATUSES)[number];
  readonly startNs: bigint;
  readonly durationNs: bigint;
  readonly origin: Origin;
  readonly attributesText: string;
  readonly restText: string;
  #attributes: readonly JsonAttribute[] | undefined;

  constructor(row: Row, origin: Origin) {
    this.traceId = row.trace_id;
    this.spanId = row.span_id;
    this.parentId = row.parent_id;
    this.name = row.name;
    this.kind = SPAN_KINDS[Number(row.kind)] ?? "unspecified";
    this.status = STATUSES[Number(row.status)] ?? "unset";
    this.startNs = row.start_ns;
    this.durationNs = row.duration_ns;
    this.origin = origin;
    this.attributesText = row.attributes;
    this.restText = row.rest;
  }

  /** Its own attributes, parsed on first use. */
  get attributes(): readonly JsonAttribute[] {
    this.#attributes ??= JSON.parse(this.attributesText) as JsonAttribute[];
    return this.#attributes;
  }

  /** The rarely set fields: events, links, statusMessage, traceState, flags. */
  get rest(): Record<string, unknown> {
    return JSON.parse(`{${this.restText}}`) as Record<string, unknown>;
  }
}

const COLUMNS = `trace_id, span_id, parent_id, origin, name, kind, status, start_ns, duration_ns,
  attributes, rest`;
const UNKNOWN: Origin = {
  service: "unknown_service",
  resource: '{"attributes":[]}',
  scope: '{"name":"","version":""}',
};
/** Maximum number of spans of a trace; a larger answer would not fit into memory. */
export const MAX_SPANS_PER_TRACE = 50_000;

/** The spans of a trace in order of start; empty when there is none. */
export function loadTrace(store: Store, traceId: string): Span[] {
  const find = store.reader.query(
    `SELECT ${COLUMNS} FROM spans WHERE bucket = ? AND trace_id = ? LIMIT ?`,
  );
  const spans: Span[] = [];
  for (const bucket of store.buckets()) {
    const left = MAX_SPANS_PER_TRACE - spans.length;
    if (left <= 0) break;
    for (const row of find.all(bucket, traceId, left) as Row[]) {
      spans.push(new Span(row, store.origins.get(Number(row.origin)) ?? UNKNOWN));
    }
  }
  return withoutCopies(spans).toSorted((a, b) =>
    a.startNs < b.startNs ? -1 : a.startNs > b.startNs ? 1 : 0,
  );
}

/** A sender that did not get the response sends again; duplicates are dropped here. */
function withoutCopies(spans: readonly Span[]): Span[] {
  return [...new Map(spans.map((span) => [span.spanId, span])).values()];
}

/** Conditions that SQLite checks. */
export interface SpanConditions {
  readonly startNs: bigint;
  readonly endNs: bigint;
  readonly service?: string;
  readonly name?: string;
  readonly status?: number;
  readonly minDurationNs?: number;
  /** Texts that the span's attributes contain as JSON. */
  readonly contains: readonly string[];
}

/**
 * Spans that satisfy the conditions, newest start first; sometimes others, so that a long search
 * can yield.
 */
export function* readSpans(store: Store, conditions: SpanConditions): Generator<Span, void> {
  const clauses: string[] = [];
  const bindings: (string | number | bigint)[] = [conditions.startNs, conditions.endNs];
  const add = (clause: string, value: string | number | undefined): void => {
    if (value === undefined) return;
    clauses.push(clause);
    bindings.push(value);
  };
  add("name = ?", conditions.name);
  add("status = ?", conditions.status);
  add("duration_ns >= ?", conditions.minDurationNs);
  for (const text of conditions.contains) add("instr(attributes, ?) > 0", text);
  // SQLite also returns some rows that do not match, so that a long search yields; the caller
  // filters them out.
  const preselect =
    clauses.length === 0 ? "" : ` AND ((${clauses.join(" AND ")}) OR id % 1024 = 0)`;
  const sql = `SELECT ${COLUMNS} FROM spans WHERE origin = ? AND start_ns >= ? AND start_ns < ?${preselect}
    ORDER BY start_ns DESC`;
  const present = store.reader.query(
    "SELECT 1 FROM spans WHERE origin = ? AND start_ns >= ? AND start_ns < ? LIMIT 1",
  );
  const window = [conditions.startNs, conditions.endNs];
  const parts = [...store.origins.entries()]
    .filter(
      ([id, { service }]) =>
        service === (conditions.service ?? service) && present.get(id, ...window) !== null,
    )
    .map(([id, origin]) => ({ of: origin, bindings: [id, ...bindings] }));
  const isBefore = (a: Row, b: Row): boolean => a.start_ns > b.start_ns;
  for (const { row, of } of readMerged(store.reader, sql, parts, "distinct resources", isBefore)) {
    yield new Span(row, of);
  }
}

/**
 * The resources with their spans, in protobuf's JSON form (ids in Base64), like Tempo's answers.
 */
export function traceBatches(spans: readonly Span[]): unknown[] {
  const resources = new Map<string, Map<string, Span[]>>();
  for (const span of spans) {
    const scopes = resources.get(span.origin.resource) ?? new Map<string, Span[]>();
    resources.set(span.origin.resource, scopes);
    const list = scopes.get(span.origin.scope) ?? [];
    scopes.set(span.origin.scope, list);
    list.push(span);
  }
  return [...resources].map(([resource, scopes]) => ({
    resource: JSON.parse(resource) as unknown,
    scopeSpans: [...scopes].map(([scope, list]) => ({
      scope: JSON.parse(scope) as unknown,
      spans: list.map(spanJson),
    })),
  }));
}

function spanJson(span: Span): unknown {
  const { statusMessage, ...rest } = span.rest;
  const message = typeof statusMessage === "string" ? { message: statusMessage } : {};
  const code = span.status === "unset" ? {} : { code: statusCodeName(span.status) };
  return {
    traceId: hexToBase64(span.traceId),
    spanId: hexToBase64(span.spanId),
    ...(span.parentId === "" ? {} : { parentSpanId: hexToBase64(span.parentId) }),
    name: span.name,
    kind: spanKindName(span.kind),
    startTimeUnixNano: span.startNs.toString(),
    endTimeUnixNano: (span.startNs + span.durationNs).toString(),
    attributes: span.attributes,
    ...rest,
    status: { ...message, ...code },
  };
}
