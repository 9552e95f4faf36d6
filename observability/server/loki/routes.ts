/** Loki's HTTP API, as far as agents, Grafana and logcli use it. */
import type { Hono } from "hono";
import type { Clock } from "../../../lib/base/clock.ts";
import { Budget } from "../budget.ts";
import { durationParam, integerParam, paramsOf, queryApp, timeParam } from "../http-params.ts";
import { QueryError } from "../query-error.ts";
import type { Store } from "../store/store.ts";
import type { Matcher, Query } from "./ast.ts";
import { runLogQuery } from "./log-query.ts";
import { runMetricQuery, seriesOf } from "./metric-query.ts";
import { parseLogQl } from "./parse.ts";
import type { Labels } from "./pipeline.ts";
import { hasLines, matchingStreams, type Window } from "./select.ts";
import type { MetricSeries, Steps } from "./series.ts";

const HOUR_NS = 3_600_000_000_000n;
const SECOND_NS = 1_000_000_000n;
const MAX_LIMIT = 5000;
const MAX_POINTS = 11_000n;
/** Loki's limit on the time range of a query. */
const MAX_SPAN_NS = 721n * HOUR_NS;

export interface LokiDeps {
  readonly store: Store;
  readonly clock: Clock;
}

/** The routes under `/loki/api/v1`, and `/ready`. */
export function lokiApp({ store, clock }: LokiDeps): Hono {
  const app = queryApp("/loki/api/v1", "3.0.0");
  const nowNs = (): bigint => BigInt(clock.nowMs()) * 1_000_000n;
  app.on(["GET", "POST"], "/loki/api/v1/query_range", async (c) => {
    const params = await paramsOf(c);
    const query = parseLogQl(params.get("query") ?? "");
    const window = windowOf(params, nowNs());
    store.flushForQuery();
    return c.json(
      await answerRange(
        store,
        query,
        params,
        window,
        categorizes(c.req.header("x-loki-response-encoding-flags")),
      ),
    );
  });
  app.on(["GET", "POST"], "/loki/api/v1/query", async (c) => {
    const params = await paramsOf(c);
    const query = parseLogQl(params.get("query") ?? "");
    if (query.kind === "log") {
      throw new QueryError(
        "log queries are not supported as an instant query type, please change your query to a range query type",
      );
    }
    store.flushForQuery();
    const atNs = timeParam(params, "time", nowNs());
    const steps: Steps = { startNs: atNs, stepNs: SECOND_NS, count: 1 };
    const result = await runMetricQuery(store, query, steps, new Budget());
    if ("scalar" in result) {
      return c.json(success("scalar", [seconds(atNs), numberText(result.scalar)]));
    }
    const ordered =
      query.kind === "vector" && query.op === "topk" ? byValue(result.series) : result.series;
    const vector = ordered.flatMap(({ labels, values: [value] }) =>
      value === undefined ? [] : [{ metric: labels, value: [seconds(atNs), numberText(value)] }],
    );
    return c.json(success("vector", vector));
  });
  addLabelRoutes(app, store, nowNs);
  return app;
}

function addLabelRoutes(app: Hono, store: Store, nowNs: () => bigint): void {
  const streamsIn = (params: URLSearchParams, fallbackNs: bigint, matchers: readonly Matcher[]) => {
    store.flushForQuery();
    const window = windowOf(params, nowNs(), fallbackNs);
    return matchingStreams(store, matchers).filter(({ id }) => hasLines(store, id, window));
  };
  const selectorOf = (text: string | null): readonly Matcher[] => {
    if (text === null || /^\s*(\{\s*\})?\s*$/.test(text)) return [];
    const query = parseLogQl(text);
    if (query.kind !== "log" || query.stages.length > 0) {
      throw new QueryError("only label matchers are supported");
    }
    return query.matchers;
  };
  app.on(["GET", "POST"], ["/loki/api/v1/labels", "/loki/api/v1/label"], async (c) => {
    const params = await paramsOf(c);
    const streams = streamsIn(params, 6n * HOUR_NS, selectorOf(params.get("query")));
    const names = new Set(streams.flatMap(({ labels }) => Object.keys(labels)));
    return c.json({ status: "success", ...dataOf([...names].toSorted()) });
  });
  app.get("/loki/api/v1/label/:name/values", async (c) => {
    const params = await paramsOf(c);
    const name = c.req.param("name");
    const streams = streamsIn(params, 6n * HOUR_NS, selectorOf(params.get("query")));
    const values = new Set(
      streams.flatMap(({ labels }) => (Object.hasOwn(labels, name) ? [labels[name] ?? ""] : [])),
    );
    return c.json({ status: "success", ...dataOf([...values].toSorted()) });
  });
  app.on(["GET", "POST"], "/loki/api/v1/series", async (c) => {
    const params = await paramsOf(c);
    const selectors = [...params.getAll("match[]"), ...params.getAll("match")];
    const groups = selectors.length === 0 ? [[]] : selectors.map(selectorOf);
    const found = new Map<string, Labels>();
    for (const matchers of groups) {
      for (const { labels } of streamsIn(params, HOUR_NS, matchers))
        found.set(JSON.stringify(labels), labels);
    }
    return c.json({ status: "success", data: [...found.values()] });
  });
}

/** Loki omits `data` when it is empty. */
const dataOf = (values: string[]): { data?: string[] } =>
  values.length === 0 ? {} : { data: values };

const categorizes = (header: string | undefined): boolean =>
  (header ?? "").split(",").some((flag) => flag.trim() === "categorize-labels");

function windowOf(params: URLSearchParams, nowNs: bigint, backNs = HOUR_NS): Window {
  const endNs = timeParam(params, "end", nowNs);
  const since = durationParam(params, "since");
  const startNs = timeParam(params, "start", endNs - (since ?? backNs));
  if (endNs < startNs)
    throw new QueryError("end timestamp must not be before or equal to start time");
  if (endNs - startNs > MAX_SPAN_NS) {
    throw new QueryError("the query time range exceeds the limit (query length > limit: 30d1h)");
  }
  return { startNs, endNs };
}

async function answerRange(
  store: Store,
  query: Query,
  params: URLSearchParams,
  window: Window,
  categorize: boolean,
): Promise<unknown> {
  const budget = new Budget();
  if (query.kind === "log") {
    const limit = integerParam(params, "limit", 100, MAX_LIMIT);
    const direction = (params.get("direction") ?? "backward").toLowerCase();
    if (direction !== "forward" && direction !== "backward") {
      throw new QueryError(`invalid direction '${direction}'`);
    }
    const streams = await runLogQuery(
      store,
      query,
      { window, limit, direction, categorize },
      budget,
    );
    const answer = success("streams", streams);
    if (categorize)
      (answer.data as Record<string, unknown>)["encodingFlags"] = ["categorize-labels"];
    return answer;
  }
  const steps = stepsOf(params, window);
  const series = seriesOf(await runMetricQuery(store, query, steps, budget), steps);
  return success(
    "matrix",
    series.map(({ labels, values }) => ({ metric: labels, values: pointsOf(values, steps) })),
  );
}

function stepsOf(params: URLSearchParams, { startNs, endNs }: Window): Steps {
  const seconds = (endNs - startNs) / SECOND_NS / 250n;
  const fallback = (seconds < 1n ? 1n : seconds) * SECOND_NS;
  const stepNs = durationParam(params, "step") ?? fallback;
  if (stepNs <= 0n) {
    throw new QueryError(
      "zero or negative query resolution step widths are not accepted. Try a positive integer",
    );
  }
  // Loki extends the window to whole steps, so that repeated requests have the same steps.
  const firstNs = startNs - (startNs % stepNs);
  const lastNs = endNs + ((stepNs - (endNs % stepNs)) % stepNs);
  const count = (lastNs - firstNs) / stepNs + 1n;
  if (count > MAX_POINTS) {
    throw new QueryError(
      "exceeded maximum resolution of 11,000 points per timeseries. Try decreasing the query resolution (?step=XX)",
    );
  }
  return { startNs: firstNs, stepNs, count: Number(count) };
}

const seconds = (ns: bigint): number => Number(ns / 1_000_000n) / 1000;

function pointsOf(values: MetricSeries["values"], steps: Steps): [number, string][] {
  return values.flatMap((value, step): [number, string][] =>
    value === undefined
      ? []
      : [[seconds(steps.startNs + steps.stepNs * BigInt(step)), numberText(value)]],
  );
}

/** Formats a number without an exponent, like Go. */
function numberText(value: number): string {
  if (value === Infinity) return "+Inf";
  if (value === -Infinity) return "-Inf";
  const text = String(value);
  return text.includes("e") ? value.toFixed(20).replace(/\.?0+$/, "") : text;
}

function byValue(series: readonly MetricSeries[]): MetricSeries[] {
  return series.toSorted((a, b) => (b.values[0] ?? 0) - (a.values[0] ?? 0));
}

/** Statistics that clients expect; this server does not count them per query. */
const NO_STATS = {
  summary: {
    bytesProcessedPerSecond: 0,
    linesProcessedPerSecond: 0,
    totalBytesProcessed: 0,
    totalLinesProcessed: 0,
    execTime: 0,
    queueTime: 0,
    subqueries: 0,
    totalEntriesReturned: 0,
  },
};

function success(resultType: string, result: unknown): { status: string; data: unknown } {
  return { status: "success", data: { resultType, result, stats: NO_STATS } };
}
