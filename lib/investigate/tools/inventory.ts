/** Service inventory and topology with runtime state, and the alerts. */
import { createPrometheusClient } from "../../base/prometheus.ts";
import type { Fact } from "../../contract/citation.ts";
import { downstreamOf, SERVICES, TOPOLOGY, upstreamOf } from "../../contract/topology.ts";
import { serviceOf } from "./naming.ts";
import { instant } from "./promql.ts";
import type { Fetch, ToolResult } from "./recorder.ts";

/** Every service: what it is, who feeds it, whom it feeds, and its runtime state now. */
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
    notes: SERVICES.map((name) => {
      const feeds = downstreamOf(name).join(", ") || "nobody";
      const fedBy = upstreamOf(name).join(", ") || "nobody";
      return `${name}: ${TOPOLOGY[name].role}; fed by ${fedBy}; feeds ${feeds}`;
    }),
  };
}

/** Pending and firing alerts as Prometheus has them now. */
export async function alerts(get: Fetch, prometheus: string): Promise<ToolResult> {
  const active = await createPrometheusClient(prometheus, get).alerts();
  const facts = active.map(({ labels, state, activeAt }): Fact => ({
    signal: "ALERTS",
    service: serviceOf("", labels),
    labels: { ...labels, activeAt },
    value: state,
    when: "now",
  }));
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
