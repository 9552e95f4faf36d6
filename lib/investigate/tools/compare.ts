/**
 * Finds the changes: every metric, log event and span before and during the incident, sorted by the
 * size of the change.
 *
 * "During" is the last half minute. "Before" is the first half minute after start-up that is still
 * stored, at most ten minutes ago: a rule may wait for minutes before its alert fires, so the time
 * just before the alert can belong to the incident.
 */
import type { Fact } from "../../contract/citation.ts";
import { METRICS, type MetricSpec } from "../../contract/telemetry.ts";
import type { ServiceName } from "../../contract/topology.ts";
import { eventCounts } from "./loki.ts";
import { instant } from "./promql.ts";
import type { Fetch, ToolResult } from "./recorder.ts";
import { spanSamples } from "./tempo.ts";

export const WINDOW_SECONDS = 30;
const MAX_LOOK_BACK_MS = 10 * 60_000;
/** Time after the system's start that is not compared, because start-up looks like an incident. */
const WARM_UP_MS = 10_000;
const MAX_ROWS = 110;

interface Series {
  readonly signal: string;
  readonly expr: string;
}

const WINDOW = `[${WINDOW_SECONDS}s]`;

const plain = (signal: string, expr = signal): Series => ({ signal, expr });
const rate = (signal: string): Series => ({ signal, expr: `rate(${signal}${WINDOW})` });

const CONTAINER_SERIES: readonly Series[] = [
  plain("container_state"),
  plain("container_exit_code"),
  rate("container_cpu_usage_seconds_total"),
  rate("container_cpu_cfs_throttled_seconds_total"),
  plain("container_spec_cpu_quota"),
  plain("container_memory_usage_bytes"),
  plain("container_spec_memory_limit_bytes"),
  plain("container_oom_events_total"),
  rate("container_network_receive_bytes_total"),
  rate("container_network_transmit_bytes_total"),
  plain("up", 'up{job="cms-services"}'),
];

/** The query of a metric: counters as rates, histograms as 95th percentiles, gauges unchanged. */
function seriesOf(name: string, spec: MetricSpec): Series {
  const selector = `${name}{job="cms-services"}`;
  switch (spec.type) {
    case "counter":
      return { signal: name, expr: `rate(${selector}${WINDOW})` };
    case "gauge":
      return { signal: name, expr: selector };
    case "histogram":
      return {
        signal: name,
        expr: `histogram_quantile(0.95, sum by (le, instance) (rate(${name}_bucket{job="cms-services"}${WINDOW})))`,
      };
  }
}

export async function compare(
  get: Fetch,
  urls: { readonly prometheus: string; readonly loki: string; readonly tempo: string },
  service: ServiceName | "all",
  nowMs: number,
): Promise<ToolResult> {
  const beforeMs = await beforeInstant(get, urls.prometheus, nowMs);
  const all = [
    ...CONTAINER_SERIES,
    ...Object.entries(METRICS).map(([name, spec]) => seriesOf(name, spec)),
  ];
  const notes: string[] = [];
  const look = async (atMs: number, when: string): Promise<Fact[]> => {
    const values = await Promise.all(
      all.map(({ expr }) => instant(get, urls.prometheus, expr, atMs, when)),
    );
    const orNone = (what: string) => (error: Error) => {
      notes.push(`${what} are left out: ${error.message}`);
      return [];
    };
    const [events, spans] = await Promise.all([
      eventCounts(get, urls.loki, WINDOW_SECONDS, atMs, when).catch(orNone("log events")),
      spanSamples(get, urls.tempo, WINDOW_SECONDS, atMs, when).catch(orNone("spans")),
    ]);
    return [...values.flat(), ...events, ...spans];
  };
  const [before, during] = await Promise.all([look(beforeMs, "before"), look(nowMs, "during")]);
  const rows = rank(before, during).filter(
    (row) => service === "all" || (row.during ?? row.before)?.service === service,
  );
  if (rows.length > MAX_ROWS)
    notes.push(`${rows.length - MAX_ROWS} rows that changed least are cut`);
  notes.push(
    `before: the ${WINDOW_SECONDS} s up to ${new Date(beforeMs).toISOString()}; during: up to ${new Date(nowMs).toISOString()}; counters are rates per second, histograms 95th percentiles`,
  );
  return {
    facts: rows.slice(0, MAX_ROWS).flatMap((row) => [row.before, row.during].filter(isFact)),
    notes,
    window: { startMs: beforeMs - WINDOW_SECONDS * 1000, endMs: nowMs },
  };
}

const isFact = (fact: Fact | undefined): fact is Fact => fact !== undefined;

/** End of the "before" window, Unix milliseconds. */
export async function beforeInstant(
  get: Fetch,
  prometheus: string,
  nowMs: number,
): Promise<number> {
  // The earliest start of a process is the system's start, even after others were replaced.
  const [start] = await instant(get, prometheus, "min(container_start_time_seconds)", nowMs, "now");
  const startMs = Number(start?.value ?? 0) * 1000;
  const earliest = Math.max(startMs + WARM_UP_MS, nowMs - MAX_LOOK_BACK_MS);
  return Math.min(earliest + WINDOW_SECONDS * 1000, nowMs - WINDOW_SECONDS * 1000);
}

interface Row {
  readonly before: Fact | undefined;
  readonly during: Fact | undefined;
  readonly change: number;
}

/** Pairs values by signal, service and labels, sorted by change. Unchanged values are left out. */
function rank(before: readonly Fact[], during: readonly Fact[]): Row[] {
  const pairs = new Map<string, { before?: Fact; during?: Fact }>();
  const keyOf = ({ signal, service, labels }: Fact): string =>
    JSON.stringify([
      signal,
      service,
      Object.entries(labels)
        .map(([name, value]) => `${name}=${value}`)
        .toSorted(byText),
    ]);
  for (const fact of before) pairs.set(keyOf(fact), { before: fact });
  for (const fact of during) pairs.set(keyOf(fact), { ...pairs.get(keyOf(fact)), during: fact });
  return [...pairs.values()]
    .map((pair) => ({
      before: pair.before,
      during: pair.during,
      change: changeOf(pair.before, pair.during),
    }))
    .filter(({ change }) => change > 0)
    .toSorted((a, b) => b.change - a.change);
}

/**
 * The size of a change: 0 for none, growing with the ratio. A value that appeared or disappeared
 * counts as a hundredfold change.
 */
function changeOf(before: Fact | undefined, during: Fact | undefined): number {
  if (before === undefined || during === undefined) return Math.log(100);
  const [a, b] = [Number(before.value), Number(during.value)];
  if (a === b) return 0;
  const floor = Math.max(Math.abs(a), Math.abs(b)) / 100;
  return Math.abs(Math.log((Math.abs(b) + floor) / (Math.abs(a) + floor)));
}

const byText = (a: string, b: string): number => (a < b ? -1 : 1);
