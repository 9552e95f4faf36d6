/** PromQL: instant and range. */
import type { Fact } from "../../contract/citation.ts";
import { serviceOf, signalOf } from "./naming.ts";
import type { Fetch, ToolResult } from "./recorder.ts";

/** Series and points of one answer; more are cut, and the answer says so. */
const MAX_FACTS = 240;

interface RawSeries {
  readonly metric: Record<string, string>;
  readonly value?: readonly [number, string];
  readonly values?: readonly (readonly [number, string])[];
}

/** Evaluates `expr` at `atMs` (Unix milliseconds) and returns each series as a fact of `when`. */
export async function instant(
  get: Fetch,
  prometheus: string,
  expr: string,
  atMs: number,
  when: string,
): Promise<Fact[]> {
  const query = new URLSearchParams({ query: expr, time: String(atMs / 1000) });
  const body = (await get(`${prometheus}/api/v1/query?${query.toString()}`)) as {
    data: { resultType: string; result: readonly RawSeries[] | readonly [number, string] };
  };
  if (body.data.resultType === "scalar") {
    const [, value] = body.data.result as readonly [number, string];
    return [factFrom(expr, {}, value, when)].filter(isFact);
  }
  return (body.data.result as readonly RawSeries[])
    .map(({ metric, value }) => factFrom(expr, metric, value?.[1] ?? "NaN", when))
    .filter(isFact);
}

/** Evaluates `expr` over a span; each point is a fact of its instant. */
export async function range(
  get: Fetch,
  prometheus: string,
  expr: string,
  startMs: number,
  endMs: number,
  stepSeconds: number,
): Promise<ToolResult> {
  const query = new URLSearchParams({
    query: expr,
    start: String(startMs / 1000),
    end: String(endMs / 1000),
    step: String(stepSeconds),
  });
  const body = (await get(`${prometheus}/api/v1/query_range?${query.toString()}`)) as {
    data: { result: readonly RawSeries[] };
  };
  const facts = body.data.result.flatMap(({ metric, values = [] }) =>
    values
      .map(([at, value]) => factFrom(expr, metric, value, new Date(at * 1000).toISOString()))
      .filter(isFact),
  );
  return { ...bounded(facts, expr), window: { startMs, endMs } };
}

/** Cuts what is too much, and says what was cut and, for no data, what was searched. */
export function bounded(facts: readonly Fact[], searched: string): ToolResult {
  if (facts.length === 0) return { facts, notes: [`no data for ${searched}`] };
  if (facts.length <= MAX_FACTS) return { facts };
  return {
    facts: facts.slice(0, MAX_FACTS),
    notes: [`${facts.length - MAX_FACTS} of ${facts.length} values are cut`],
  };
}

function factFrom(
  expr: string,
  metric: Readonly<Record<string, string>>,
  value: string,
  when: string,
): Fact | undefined {
  const number = Number(value);
  if (!Number.isFinite(number)) return undefined;
  const { __name__: _, job: __, ...labels } = metric;
  return {
    signal: signalOf(expr, metric),
    service: serviceOf(expr, metric),
    labels,
    value: number,
    when,
  };
}

const isFact = (fact: Fact | undefined): fact is Fact => fact !== undefined;
