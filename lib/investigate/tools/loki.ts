/** LogQL: log lines and counts. Log text is returned as a value and never interpreted. */
import type { Fact } from "../../contract/citation.ts";
import { LOGS } from "../../contract/telemetry.ts";
import { serviceOf } from "./naming.ts";
import { bounded } from "./promql.ts";
import type { Fetch, ToolResult, Window } from "./recorder.ts";

interface Stream {
  readonly stream?: Record<string, string>;
  readonly metric?: Record<string, string>;
  readonly values?: readonly (readonly [string | number, string])[];
  readonly value?: readonly [number, string];
}

const LINE_CHARACTERS = 300;

/** Runs a LogQL query over a span, newest lines first; counts come as numbers. */
export async function logql(
  get: Fetch,
  loki: string,
  query: string,
  window: Window,
  limit: number,
): Promise<ToolResult> {
  const search = new URLSearchParams({
    query,
    start: `${window.startMs}000000`,
    end: `${window.endMs}000000`,
    limit: String(limit),
    direction: "backward",
  });
  const body = (await get(`${loki}/loki/api/v1/query_range?${search.toString()}`)) as {
    data: { resultType: string; result: readonly Stream[] };
  };
  const facts =
    body.data.resultType === "streams"
      ? body.data.result.flatMap(linesOf)
      : body.data.result.flatMap(pointsOf);
  return { ...bounded(facts, query), window };
}

/** Counts log events by service and event over the `seconds` before `atMs`. */
export async function eventCounts(
  get: Fetch,
  loki: string,
  seconds: number,
  atMs: number,
  when: string,
): Promise<Fact[]> {
  const query = `sum by (service_name, event) (count_over_time({service_name=~".+"} | json [${seconds}s]))`;
  const search = new URLSearchParams({ query, time: `${atMs}000000` });
  const body = (await get(`${loki}/loki/api/v1/query?${search.toString()}`)) as {
    data: { result: readonly Stream[] };
  };
  return body.data.result.flatMap(({ metric = {}, value }) => {
    const event = metric["event"] ?? "";
    const service = serviceOf("", metric);
    // A name that is not declared is untrusted text.
    if (!(event in LOGS) || service === null) return [];
    return [{ signal: event, service, labels: {}, value: Number(value?.[1] ?? 0), when }];
  });
}

function linesOf({ stream = {}, values = [] }: Stream): Fact[] {
  return values.map(([at, line]) => ({
    signal: eventOf(line),
    service: serviceOf("", stream),
    labels: {},
    value: line.slice(0, LINE_CHARACTERS),
    when: new Date(Number(BigInt(at) / 1_000_000n)).toISOString(),
  }));
}

function pointsOf({ metric = {}, values = [], value }: Stream): Fact[] {
  const points = value === undefined ? values : [value];
  return points.map(([at, text]) => ({
    signal: metric["event"] ?? "log_lines",
    service: serviceOf("", metric),
    labels: metric,
    value: Number(text),
    when: new Date(Number(at) * 1000).toISOString(),
  }));
}

/** The event of a line, if it is declared. */
function eventOf(line: string): string {
  try {
    const event = (JSON.parse(line) as { event?: unknown }).event;
    return typeof event === "string" && event in LOGS ? event : "log_line";
  } catch (error) {
    if (error instanceof SyntaxError) return "log_line";
    throw error;
  }
}
