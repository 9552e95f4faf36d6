/** Facts about each service's process group, from the kernel's counters. */
import { readFileSync } from "node:fs";
import { SERVICE_LIMITS } from "../../contract/topology.ts";
import { type FactRow, factsText } from "../facts-text.ts";
import { bandwidthOf } from "./cgroup.ts";
import type { ManagedService } from "./managed-service.ts";
import { traffic } from "./network.ts";

/** Renders all facts at `nowMs` (Unix milliseconds). */
export function renderFacts(services: Iterable<ManagedService>, nowMs: number): string {
  const devices = readFileSync("/proc/net/dev", "utf8");
  return factsText(
    [...services].map((service) => [service.name, rowsOf(service, devices, nowMs)] as const),
  );
}

function rowsOf(service: ManagedService, devices: string, nowMs: number): FactRow[] {
  const state = service.state();
  const usage = service.usage();
  const isRunning = state.state === "running";
  const { rx, tx } = traffic(service.name, devices);
  const { quotaUs, periodUs } = bandwidthOf(state.cpuQuotaCores);
  const rows: FactRow[] = [
    ["container_start_time_seconds", state.startedUnixMs / 1000],
    ["container_state", isRunning ? 1 : 0, { state: "running" }],
    ["container_state", isRunning ? 0 : 1, { state: "exited" }],
    ["container_cpu_usage_seconds_total", usage.cpuSeconds],
    ["container_cpu_cfs_periods_total", usage.periods],
    ["container_cpu_cfs_throttled_periods_total", usage.throttledPeriods],
    ["container_cpu_cfs_throttled_seconds_total", usage.throttledSeconds],
    ["container_spec_cpu_quota", Math.max(0, quotaUs)],
    ["container_spec_cpu_period", periodUs],
    ["container_spec_cpu_shares", SERVICE_LIMITS.cpuShares],
    ["container_memory_usage_bytes", usage.memoryBytes],
    ["container_memory_rss", usage.rssBytes],
    ["container_spec_memory_limit_bytes", state.memoryLimitBytes ?? SERVICE_LIMITS.memoryBytes],
    ["container_oom_events_total", usage.oomKills],
    ["container_network_receive_bytes_total", rx],
    ["container_network_transmit_bytes_total", tx],
  ];
  if (isRunning) rows.push(["container_last_seen", nowMs / 1000]);
  else if (state.exitCode !== null) rows.push(["container_exit_code", state.exitCode]);
  return rows;
}
