/** Tempo's HTTP API, as far as agents and Grafana use it. */
import type { Hono } from "hono";
import type { Clock } from "../../../lib/base/clock.ts";
import { Budget } from "../budget.ts";
import { integerParam, paramsOf, queryApp, timeParam } from "../http-params.ts";
import type { Type } from "protobufjs/light";
import { SIGNALS, TRACE_BY_ID_RESPONSE } from "../otlp/descriptor.ts";
import { SPAN_KINDS, STATUSES } from "../otlp/span-enums.ts";
import { QueryError, unsupported } from "../query-error.ts";
import type { Store } from "../store/store.ts";
import { durationNs } from "../syntax.ts";
import {
  type CompareOp,
  type Expression,
  type Field,
  INTRINSICS,
  type TraceQuery,
  type Value,
} from "./ast.ts";
import { parseTraceQl } from "./parse.ts";
import { searchTraces, TagIndex } from "./search.ts";
import { loadTrace, type Span, traceBatches } from "./traces.ts";

const MAX_TIME_NS = 2n ** 63n - 1n;
const MAX_LIMIT = 1000;
const PROTOBUF = "application/protobuf";

export interface TempoDeps {
  readonly store: Store;
  readonly clock: Clock;
}

/** The routes under `/api`, and `/ready`. */
export function tempoApp({ store, clock }: TempoDeps): Hono {
  const app = queryApp("/api", "2.6.0");
  app.get("/api/echo", (c) => c.text("echo"));
  const spansOf = (id: string): Span[] => {
    if (!/^[0-9a-fA-F]{1,32}$/.test(id)) {
      throw new QueryError(
        `trace IDs can only contain hex characters, at most 32, but this one is ${JSON.stringify(id.slice(0, 64))}`,
      );
    }
    store.flushForQuery();
    return loadTrace(store, id.toLowerCase().padStart(32, "0"));
  };
  app.get("/api/traces/:id", (c) => {
    const spans = spansOf(c.req.param("id"));
    if (spans.length === 0) return c.text("trace not found", 404);
    const batches = traceBatches(spans);
    if (wantsProtobuf(c.req.header("accept"))) {
      return protobuf(SIGNALS.traces.request, { resourceSpans: batches });
    }
    return c.json({ batches });
  });
  app.get("/api/v2/traces/:id", (c) => {
    const spans = spansOf(c.req.param("id"));
    if (spans.length === 0) return c.text("trace not found", 404);
    const trace = { resourceSpans: traceBatches(spans) };
    if (wantsProtobuf(c.req.header("accept"))) return protobuf(TRACE_BY_ID_RESPONSE, { trace });
    return c.json({ trace, metrics: {} });
  });
  app.get("/api/metrics/*", () => {
    throw unsupported("TraceQL", "a metrics query");
  });
  addSearchRoute(app, store, clock);
  addTagRoutes(app, store);
  return app;
}

function addSearchRoute(app: Hono, store: Store, clock: Clock): void {
  app.get("/api/search", async (c) => {
    const params = await paramsOf(c);
    const text = params.get("q") ?? "";
    const query = text === "" ? tagQuery(params) : parseTraceQl(text);
    const nowNs = BigInt(clock.nowMs()) * 1_000_000n;
    const options = {
      startNs: timeParam(params, "start", 0n),
      endNs: timeParam(params, "end", params.has("start") ? nowNs : MAX_TIME_NS),
      limit: integerParam(params, "limit", 20, MAX_LIMIT),
      spansPerSpanset: integerParam(params, "spss", 3, 100),
    };
    if (options.endNs < options.startNs) throw new QueryError("invalid start: must be before end");
    store.flushForQuery();
    const { traces, inspectedTraces, inspectedSpans } = await searchTraces(
      store,
      query,
      options,
      new Budget(),
    );
    return c.json({
      traces,
      metrics: {
        inspectedTraces,
        inspectedSpans: String(inspectedSpans),
        completedJobs: 1,
        totalJobs: 1,
      },
    });
  });
}

const INTRINSIC_TAGS = Object.keys(INTRINSICS).filter((name) => !name.includes(":"));

function addTagRoutes(app: Hono, store: Store): void {
  const index = (): TagIndex => {
    store.flushForQuery();
    return new TagIndex(store);
  };
  const names = (tags: Map<string, unknown>): string[] => [...tags.keys()].toSorted();
  app.get("/api/search/tags", (c) => {
    const tags = index();
    const all = [...new Set([...names(tags.resource), ...names(tags.span)])];
    return c.json({ tagNames: all.toSorted() });
  });
  app.get("/api/v2/search/tags", (c) => {
    const tags = index();
    const scopes = [
      { name: "resource", tags: names(tags.resource) },
      { name: "span", tags: names(tags.span) },
      { name: "intrinsic", tags: INTRINSIC_TAGS },
    ];
    const wanted = c.req.query("scope");
    return c.json({
      scopes:
        wanted === undefined || wanted === "none"
          ? scopes
          : scopes.filter(({ name }) => name === wanted),
    });
  });
  app.get("/api/search/tag/:name/values", (c) => {
    const values = valuesOf(index(), c.req.param("name"), false);
    return c.json({ tagValues: values.map(({ value }) => value) });
  });
  app.get("/api/v2/search/tag/:name/values", (c) =>
    c.json({ tagValues: valuesOf(index(), c.req.param("name"), true) }),
  );
}

/**
 * Values of a tag; v2 names it with its scope (`resource.service.name`, `.x`, `name`), v1 without.
 */
function valuesOf(
  tags: TagIndex,
  name: string,
  scoped: boolean,
): { type: string; value: string }[] {
  const keywords = (values: Iterable<string>, type: string) =>
    [...values].toSorted().map((value) => ({ type, value }));
  if (name === "status") return keywords(STATUSES, "keyword");
  if (name === "kind") return keywords(SPAN_KINDS, "keyword");
  if (name === "name") return keywords(tags.names, "string");
  const [, scope, key] = (scoped ? /^(resource|span|)\.(.+)$/.exec(name) : null) ?? ["", "", name];
  const found = new Map<string, string>();
  for (const part of scope === "span"
    ? [tags.span]
    : scope === "resource"
      ? [tags.resource]
      : [tags.span, tags.resource]) {
    for (const [value, type] of part.get(key ?? name) ?? []) found.set(value, type);
  }
  return [...found]
    .map(([value, type]) => ({ type, value }))
    .toSorted((a, b) => (a.value < b.value ? -1 : 1));
}

/** The older search: `tags` in logfmt, `minDuration`, `maxDuration`; all must hold. */
function tagQuery(params: URLSearchParams): TraceQuery {
  const conditions: Expression[] = [];
  for (const match of (params.get("tags") ?? "").matchAll(
    /([^\s=]+)=(?:"((?:[^"\\]|\\.)*)"|(\S*))/g,
  )) {
    const name = match[1] ?? "";
    const value = match[2]?.replaceAll(/\\(.)/g, "$1") ?? match[3] ?? "";
    conditions.push(
      name === "name"
        ? compare({ kind: "intrinsic", name }, "=", { kind: "string", value })
        : name === "status" || name === "status.code"
          ? compare({ kind: "intrinsic", name: "status" }, "=", { kind: "status", value })
          : compare({ kind: "attribute", scope: "any", name }, "=", { kind: "string", value }),
    );
  }
  for (const [param, op] of [
    ["minDuration", ">="],
    ["maxDuration", "<="],
  ] as const) {
    const text = params.get(param);
    if (text === null || text === "") continue;
    const ns = durationNs(text);
    if (ns === undefined)
      throw new QueryError(
        `invalid ${param}: it must be a duration, but is ${JSON.stringify(text)}`,
      );
    const value: Value = { kind: "duration", value: ns };
    conditions.push(compare({ kind: "intrinsic", name: "traceDuration" }, op, value));
  }
  const expression = conditions.reduce<Expression>(
    (left, right) => ({ kind: "and", left, right }),
    { kind: "constant", value: true },
  );
  return { spanset: { kind: "filter", expression }, stages: [] };
}

const compare = (left: Field, op: CompareOp, value: Value): Expression => ({
  kind: "compare",
  left,
  op,
  right: { kind: "value", value },
});

const wantsProtobuf = (accept: string | undefined): boolean =>
  accept?.includes("protobuf") ?? false;

/** Encodes a trace as protobuf. */
function protobuf(type: Type, message: Record<string, unknown>): Response {
  const bytes = type.encode(type.fromObject(message)).finish();
  return new Response(new Uint8Array(bytes), { headers: { "content-type": PROTOBUF } });
}
