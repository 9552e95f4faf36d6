/** Reads a container as the state of a service, and builds the container that replaces it. */
import type { ServiceName } from "../../contract/topology.ts";
import type { ReplaceOptions, ServiceState, ServiceStats } from "../lab.ts";
import { bandwidthOf } from "../native/cgroup.ts";
import type { Container, ContainerStats } from "./engine.ts";
import { LABEL, NETWORK } from "./layout.ts";

/**
 * The original settings of a replaced service, stored on its container for any program to restore.
 */
interface Replaced {
  readonly env: readonly string[];
  readonly memoryBytes: number;
  readonly configHash: string;
  readonly options: ReplaceOptions;
}

/** The engine refuses a lower limit, and nothing starts with less. */
export const MIN_MEMORY_BYTES = 6 * 1024 * 1024;

function replacedOf({ Config }: Container): Replaced | undefined {
  const text = Config.Labels[LABEL.replaced];
  return text === undefined ? undefined : (JSON.parse(text) as Replaced);
}

/** The CPU quota in cores; null if there is none. */
export function quotaOf({ HostConfig }: Container): number | null {
  const { CpuQuota, CpuPeriod } = HostConfig;
  return CpuQuota > 0 ? CpuQuota / (CpuPeriod || bandwidthOf(null).periodUs) : null;
}

export const isAttached = ({ NetworkSettings }: Container): boolean =>
  Object.keys(NetworkSettings.Networks).some((name) => name.endsWith(`_${NETWORK}`));

export function stateOf(service: ServiceName, container: Container): ServiceState {
  const { State } = container;
  const options = replacedOf(container)?.options ?? {};
  const memoryLimitBytes = options.memoryLimitBytes ?? null;
  const cpuQuotaCores = quotaOf(container);
  const attached = isAttached(container);
  return {
    service,
    state: State.Running ? "running" : "exited",
    pid: State.Running ? State.Pid : null,
    exitCode: State.Running ? null : State.ExitCode,
    oomKilled: !State.Running && State.OOMKilled,
    startedUnixMs: Date.parse(State.StartedAt),
    network: attached ? "attached" : "detached",
    cpuQuotaCores,
    memoryLimitBytes,
    env: options.env ?? {},
    canonical:
      State.Running &&
      attached &&
      cpuQuotaCores === null &&
      memoryLimitBytes === null &&
      Object.keys(options.env ?? {}).length === 0,
  };
}

export function statsOf({ State }: Container, stats: ContainerStats): ServiceStats {
  const { cpu_usage, throttling_data } = stats.cpu_stats ?? {};
  return {
    cpuSeconds: (cpu_usage?.total_usage ?? 0) / 1e9,
    memoryBytes: stats.memory_stats?.usage ?? 0,
    throttledSeconds: (throttling_data?.throttled_time ?? 0) / 1e9,
    // The engine reports whether a kill happened, without a count.
    oomKills: State.OOMKilled ? 1 : 0,
  };
}

/**
 * The create request that replaces `container`: the service of the compose file with `options`
 * applied. All other settings are copied from the container, so that only the compose file
 * describes a service.
 */
export function replacement(
  service: ServiceName,
  container: Container,
  options: ReplaceOptions,
  network: string,
): unknown {
  const before = replacedOf(container) ?? {
    env: container.Config.Env ?? [],
    memoryBytes: container.HostConfig.Memory,
    configHash: container.Config.Labels[LABEL.configHash] ?? "",
  };
  const { env = {}, memoryLimitBytes } = options;
  const isCanonical = memoryLimitBytes === undefined && Object.keys(env).length === 0;
  const { [LABEL.replaced]: _, ...labels } = container.Config.Labels;
  const memory = memoryLimitBytes ?? before.memoryBytes;
  return {
    ...container.Config,
    // Values that the engine chose for the old container.
    Hostname: "",
    Image: container.Image,
    Env: withVariables(before.env, env),
    Labels: isCanonical
      ? { ...labels, [LABEL.configHash]: before.configHash }
      : {
          ...labels,
          // A different hash, so that a plain `docker compose up` restores the service as well.
          [LABEL.configHash]: "replaced",
          [LABEL.replaced]: JSON.stringify({
            env: before.env,
            memoryBytes: before.memoryBytes,
            configHash: before.configHash,
            options,
          } satisfies Replaced),
        },
    HostConfig: {
      ...container.HostConfig,
      Memory: memory,
      MemorySwap: memory,
      CpuQuota: 0,
      CpuPeriod: 0,
    },
    NetworkingConfig: { EndpointsConfig: { [network]: { Aliases: [service] } } },
  };
}

/** `before` with the variables of `extra` replaced or added. */
function withVariables(
  before: readonly string[],
  extra: Readonly<Record<string, string>>,
): string[] {
  const kept = before.filter((line) => !Object.hasOwn(extra, line.slice(0, line.indexOf("="))));
  return [...kept, ...Object.entries(extra).map(([name, value]) => `${name}=${value}`)];
}

/** The engine's CPU limits; null lifts them (a quota of 0 would change nothing). */
export function cpuLimits(cores: number | null): { CpuPeriod: number; CpuQuota: number } {
  const { quotaUs, periodUs } = bandwidthOf(cores);
  return { CpuPeriod: periodUs, CpuQuota: quotaUs };
}
