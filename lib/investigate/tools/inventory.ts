/** Service inventory and topology with runtime state, and the alerts. */
import type { Fact } from "../../contract/citation.ts";
import { normLines } from "../../contract/norms.ts";
import {
  downstreamOf,
  SERVICES,
  type ServiceName,
  TOPOLOGY,
  upstreamOf,
} from "../../contract/topology.ts";
import { instant } from "./promql.ts";
import type { Fetch, ToolResult } from "./recorder.ts";

/**
 * Every service with its role, its neighbours in the topology, its nominal rate and its runtime
 * state, and the limits of normal values.
 */
export async function inventory(
  get: Fetch,
  prometheus: string,
  nowMs: number,
): Promise<ToolResult> {
  const states = await instant(get, prometheus, "container_state == 1", nowMs, "now");
  const others = await Promise.all(
    [
      "container_exit_code",
      'up{job="cms-services"}',
      "container_spec_cpu_quota > 0",
      "container_spec_memory_limit_bytes > 0",
      "container_oom_events_total > 0",
    ].map((expr) => instant(get, prometheus, expr, nowMs, "now")),
  );
  const named = states.map((fact): Fact => ({
    ...fact,
    signal: "container_state",
    labels: {},
    value: fact.labels["state"] ?? "unknown",
  }));
  return {
    facts: [...named, ...others.flat()],
    notes: [...SERVICES.map(serviceNote), ...normLines()],
  };
}

function serviceNote(name: ServiceName): string {
  const { role, nominalRateHz } = TOPOLOGY[name];
  const feeds = downstreamOf(name).join(", ") || "nobody";
  const fedBy = upstreamOf(name).join(", ") || "nobody";
  const rate =
    nominalRateHz === undefined ? "" : `; nominal rate ${nominalRateHz} source tracks per second`;
  return `${name}: ${role}; fed by ${fedBy}; feeds ${feeds}${rate}`;
}

/**
 * Pending and firing alerts with the start of each. They are read from the series that Prometheus
 * writes, because `/api/v1/alerts` knows only the present.
 */
export async function alerts(get: Fetch, prometheus: string, nowMs: number): Promise<ToolResult> {
  const [active, since] = await Promise.all(
    ["ALERTS", "ALERTS_FOR_STATE"].map((expr) => instant(get, prometheus, expr, nowMs, "now")),
  );
  // Prometheus sorts labels by name.
  const keyOf = (labels: Fact["labels"]): string =>
    JSON.stringify({ ...labels, alertstate: undefined });
  const starts = new Map((since ?? []).map(({ labels, value }) => [keyOf(labels), Number(value)]));
  const facts = (active ?? []).map((fact): Fact => {
    const start = starts.get(keyOf(fact.labels));
    const activeAt = start === undefined ? {} : { activeAt: new Date(start * 1000).toISOString() };
    const { alertstate = "", ...labels } = fact.labels;
    return { ...fact, labels: { ...labels, ...activeAt }, value: alertstate };
  });
  const none: Fact = { signal: "ALERTS", service: null, labels: {}, value: 0, when: "now" };
  return facts.length === 0
    ? { facts: [none], notes: ["no alert is pending or firing"] }
    : { facts };
}

/** The names of all metrics of a service that have data now. */
export async function catalogue(
  get: Fetch,
  prometheus: string,
  service: string,
  nowMs: number,
): Promise<ToolResult> {
  const expr = `count by (__name__) ({instance=~"${service}:.+"} or {name="${service}"})`;
  const facts = await instant(get, prometheus, expr, nowMs, "now");
  return { facts: facts.map((fact) => ({ ...fact, labels: { meaning: "number of series" } })) };
}
