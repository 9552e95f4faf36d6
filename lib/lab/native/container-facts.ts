/** The facts about each service's process group, as Prometheus text under cAdvisor's names. */
import { readFileSync } from "node:fs";
import { CONTAINER_METRICS, type ContainerMetricName } from "../../contract/telemetry.ts";
import { bandwidthOf } from "./cgroup.ts";
import type { ManagedService } from "./managed-service.ts";
import { traffic } from "./network.ts";

type Row = readonly [ContainerMetricName, number, Readonly<Record<string, string>>?];

/** Renders all facts at `nowMs` (Unix milliseconds). Label `name` is the service. */
export function renderFacts(services: Iterable<ManagedService>, nowMs: number): string {
  const devices = readFileSync("/proc/net/dev", "utf8");
  const lines = new Map<ContainerMetricName, string[]>();
  for (const service of services) {
    for (const [name, value, labels = {}] of rowsOf(service, devices, nowMs)) {
      const text = Object.entries({ name: service.name, ...labels })
        .map(([label, labelValue]) => `${label}="${labelValue}"`)
        .join(",");
      const known = lines.get(name) ?? [];
      known.push(`${name}{${text}} ${value}`);
      lines.set(name, known);
    }
  }
  return [...lines]
    .flatMap(([name, rows]) => [
      `# HELP ${name} ${CONTAINER_METRICS[name]}`,
      `# TYPE ${name} ${name.endsWith("_total") ? "counter" : "gauge"}`,
      ...rows,
    ])
    .join("\n")
    .concat("\n");
}

function rowsOf(service: ManagedService, devices: string, nowMs: number): Row[] {
  const state = service.state();
  const usage = service.usage();
  const isRunning = state.state === "running";
  const { rx, tx } = traffic(service.name, devices);
  const { quotaUs, periodUs } = bandwidthOf(state.cpuQuotaCores);
  const rows: Row[] = [
    ["container_start_time_seconds", state.startedUnixMs / 1000],
    ["container_state", isRunning ? 1 : 0, { state: "running" }],
    ["container_state", isRunning ? 0 : 1, { state: "exited" }],
    ["container_cpu_usage_seconds_total", usage.cpuSeconds],
    ["container_cpu_cfs_periods_total", usage.periods],
    ["container_cpu_cfs_throttled_periods_total", usage.throttledPeriods],
    ["container_cpu_cfs_throttled_seconds_total", usage.throttledSeconds],
    ["container_spec_cpu_quota", Math.max(0, quotaUs)],
    ["container_spec_cpu_period", periodUs],
    ["container_memory_usage_bytes", usage.memoryBytes],
    ["container_memory_rss", usage.rssBytes],
    ["container_spec_memory_limit_bytes", state.memoryLimitBytes ?? 0],
    ["container_oom_events_total", usage.oomKills],
    ["container_network_receive_bytes_total", rx],
    ["container_network_transmit_bytes_total", tx],
  ];
  if (isRunning) rows.push(["container_last_seen", nowMs / 1000]);
  else if (state.exitCode !== null) rows.push(["container_exit_code", state.exitCode]);
  return rows;
}
