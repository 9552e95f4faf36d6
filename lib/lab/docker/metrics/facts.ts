/** The facts about each service's container, read from the engine. */
import { SERVICES, type ServiceName } from "../../../contract/topology.ts";
import { type FactRow, factsText } from "../../facts-text.ts";
import { bandwidthOf } from "../../native/cgroup.ts";
import type { Container, ContainerStats, Engine } from "../engine.ts";
import { LABEL } from "../layout.ts";

/**
 * Reads the facts, and keeps the last counters of ended processes, which the engine drops at once.
 */
export class FactReader {
  readonly #engine: Engine;
  readonly #project: string;
  /** The last sample of a running process, with a key of container and start time. */
  readonly #last = new Map<ServiceName, { readonly key: string; readonly stats: ContainerStats }>();

  constructor(engine: Engine, project: string) {
    this.#engine = engine;
    this.#project = project;
  }

  /** All facts at `nowMs` (Unix milliseconds), without services that have no container. */
  async render(nowMs: number): Promise<string> {
    const listed = await this.#engine.list(this.#project);
    const found = await Promise.all(
      SERVICES.map(async (service) => {
        const item = listed.find(({ Labels }) => Labels[LABEL.service] === service);
        if (item === undefined) return [];
        const container = await this.#engine.inspect(item.Id);
        const stats = await this.#statsOf(service, container);
        return [[service, rowsOf(container, stats, nowMs)] as const];
      }),
    );
    return factsText(found.flat());
  }

  async #statsOf(service: ServiceName, { Id, State }: Container): Promise<ContainerStats> {
    const key = `${Id} ${State.StartedAt}`;
    const last = this.#last.get(service);
    if (!State.Running) return last?.key === key ? last.stats : {};
    const stats = await this.#engine.stats(Id);
    this.#last.set(service, { key, stats });
    return stats;
  }
}

export function rowsOf(container: Container, stats: ContainerStats, nowMs: number): FactRow[] {
  const { State, HostConfig } = container;
  const { cpu_usage, throttling_data } = stats.cpu_stats ?? {};
  const { usage = 0, stats: memory = {} } = stats.memory_stats ?? {};
  const links = Object.values(stats.networks ?? {});
  const hasQuota = HostConfig.CpuQuota > 0;
  const period = hasQuota && HostConfig.CpuPeriod > 0 ? HostConfig.CpuPeriod : defaultPeriodUs;
  const rows: FactRow[] = [
    ["container_start_time_seconds", Date.parse(State.StartedAt) / 1000],
    ["container_state", State.Running ? 1 : 0, { state: "running" }],
    ["container_state", State.Running ? 0 : 1, { state: "exited" }],
    ["container_cpu_usage_seconds_total", (cpu_usage?.total_usage ?? 0) / 1e9],
    ["container_cpu_cfs_periods_total", throttling_data?.periods ?? 0],
    ["container_cpu_cfs_throttled_periods_total", throttling_data?.throttled_periods ?? 0],
    ["container_cpu_cfs_throttled_seconds_total", (throttling_data?.throttled_time ?? 0) / 1e9],
    ["container_spec_cpu_quota", hasQuota ? HostConfig.CpuQuota : 0],
    ["container_spec_cpu_period", period],
    ["container_spec_cpu_shares", HostConfig.CpuShares],
    ["container_memory_usage_bytes", State.Running ? usage : 0],
    // Control groups v1 and v2 use different names.
    ["container_memory_rss", State.Running ? (memory["total_rss"] ?? memory["anon"] ?? 0) : 0],
    ["container_spec_memory_limit_bytes", HostConfig.Memory],
    ["container_oom_events_total", State.OOMKilled ? 1 : 0],
    ["container_network_receive_bytes_total", sum(links.map(({ rx_bytes }) => rx_bytes))],
    ["container_network_transmit_bytes_total", sum(links.map(({ tx_bytes }) => tx_bytes))],
  ];
  if (State.Running) rows.push(["container_last_seen", nowMs / 1000]);
  else rows.push(["container_exit_code", State.ExitCode]);
  return rows;
}

const defaultPeriodUs = bandwidthOf(null).periodUs;

const sum = (values: readonly number[]): number =>
  values.reduce((total, value) => total + value, 0);
