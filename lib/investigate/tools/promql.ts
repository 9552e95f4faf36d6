/** PromQL: instant and range. */
import { createPrometheusClient } from "../../base/prometheus.ts";
import type { Fact } from "../../contract/citation.ts";
import { serviceOf, signalOf } from "./naming.ts";
import type { Fetch, ToolResult, Window } from "./recorder.ts";

/** Maximum number of series and points of one answer; a note counts the cut ones. */
const MAX_FACTS = 240;

/** Evaluates `expr` at `atMs` (Unix milliseconds) and returns each series as a fact of `when`. */
export async function instant(
  get: Fetch,
  prometheus: string,
  expr: string,
  atMs: number,
  when: string,
): Promise<Fact[]> {
  const samples = await createPrometheusClient(prometheus, get).instant(expr, atMs);
  return samples.flatMap(({ labels, value }) => factFrom(expr, labels, value, when));
}

/** Evaluates `expr` over a span; each point is a fact of its instant. */
export async function range(
  get: Fetch,
  prometheus: string,
  expr: string,
  window: Window,
  stepSeconds: number,
): Promise<ToolResult> {
  const client = createPrometheusClient(prometheus, get);
  const series = await client.range(expr, window.startMs, window.endMs, stepSeconds);
  const facts = series.flatMap(({ labels, points }) =>
    points.flatMap(([atMs, value]) => factFrom(expr, labels, value, new Date(atMs).toISOString())),
  );
  return { ...bounded(facts, expr), window };
}

/** Limits the number of facts. Notes say how many were cut or, without data, what was searched. */
export function bounded(facts: readonly Fact[], searched: string): ToolResult {
  if (facts.length === 0) return { facts, notes: [`no data for ${searched}`] };
  if (facts.length <= MAX_FACTS) return { facts };
  return {
    facts: facts.slice(0, MAX_FACTS),
    notes: [`${facts.length - MAX_FACTS} of ${facts.length} values are cut`],
  };
}

/** Returns no fact for a value that is not a number. */
function factFrom(
  expr: string,
  metric: Readonly<Record<string, string>>,
  value: number,
  when: string,
): Fact[] {
  if (!Number.isFinite(value)) return [];
  const { __name__: _, job: __, ...labels } = metric;
  const [signal, service] = [signalOf(expr, metric), serviceOf(expr, metric)];
  return [{ signal, service, labels, value, when }];
}
