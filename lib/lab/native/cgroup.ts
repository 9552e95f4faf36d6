/**
 * Control groups, which limit a service's process and count its resource use. Supports version 1
 * (one mount per controller) and version 2 (one tree).
 */
import { existsSync, mkdirSync, readFileSync, rmdirSync, writeFileSync } from "node:fs";
import { EnvironmentError } from "../../base/errors.ts";
import { isV2, parentName } from "./group-root.ts";

/** The kernel's usual period. It takes up to a second, which MIN_CORES needs. */
const PERIOD_US = 100_000;
/** The kernel's minimum quota is 1 ms per period. */
const MIN_QUOTA_US = 1000;

/**
 * The scheduler's quota and period for a CPU limit: very small limits need a longer period. No
 * limit (null) is a quota of -1.
 */
export function bandwidthOf(cores: number | null): {
  readonly quotaUs: number;
  readonly periodUs: number;
} {
  if (cores === null) return { quotaUs: -1, periodUs: PERIOD_US };
  const periodUs = Math.max(PERIOD_US, Math.ceil(MIN_QUOTA_US / cores));
  return { quotaUs: Math.round(cores * periodUs), periodUs };
}

/**
 * Converts v1's shares (default 1024) to the weight of control groups v2 (1 to 10,000, default
 * 100).
 */
export const weightOf = (cpuShares: number): number =>
  Math.min(10_000, Math.max(1, Math.round((cpuShares * 100) / 1024)));

/** Resource use of a group, counted by the kernel. */
export interface Usage {
  readonly cpuSeconds: number;
  readonly periods: number;
  readonly throttledPeriods: number;
  readonly throttledSeconds: number;
  readonly memoryBytes: number;
  readonly rssBytes: number;
  readonly oomKills: number;
}

/** Resource limits of a group. */
export interface Limits {
  readonly memoryBytes: number;
  /** CPU weight in units of control groups v1. */
  readonly cpuShares: number;
}

/** One service's group. */
export interface Group {
  /** Folders whose cgroup.procs a process must be written to in order to join the group. */
  readonly folders: readonly string[];
  /**
   * Recreates the group with these limits or none, no quota, and zeroed counters. It must be empty.
   */
  reset(limits: Limits | null): void;
  /** Limits the group to `cores` of a processor; null lifts the limit. */
  limitCpu(cores: number | null): void;
  usage(): Usage;
}

const read = (path: string): string => readFileSync(path, "utf8");

/**
 * Reads a file of "name value" lines. A counter that the kernel does not have is an error: as 0 it
 * would say that nothing happened.
 */
function counters(path: string): (name: string) => number {
  const text = read(path);
  return (name) => {
    const value = new RegExp(`^${name} (\\d+)$`, "m").exec(text)?.[1];
    if (value !== undefined) return Number(value);
    throw new EnvironmentError(
      `Cannot count what a service uses: ${path} must have ${name}, but this kernel does not count it`,
    );
  };
}

/** Reads a file with one number. */
function counter(path: string): number {
  const text = read(path).trim();
  if (/^\d+$/.test(text)) return Number(text);
  throw new EnvironmentError(
    `Cannot count what a service uses: ${path} must be a number, but is ${JSON.stringify(text)}`,
  );
}

export function createGroup(root: string, index: number, name: string): Group {
  const relative = `${parentName(index)}/${name}`;
  return isV2(root) ? new GroupV2(`${root}/${relative}`) : new GroupV1(root, relative);
}

function make(folder: string): void {
  try {
    if (existsSync(folder)) rmdirSync(folder);
    mkdirSync(folder, { recursive: true });
  } catch (error) {
    throw new EnvironmentError(`Cannot make control group ${folder}: ${(error as Error).message}`, {
      cause: error,
    });
  }
}

class GroupV1 implements Group {
  readonly folders: readonly string[];
  readonly #cpu: string;
  readonly #cpuacct: string;
  readonly #memory: string;

  constructor(root: string, relative: string) {
    this.#cpu = `${root}/cpu/${relative}`;
    this.#cpuacct = `${root}/cpuacct/${relative}`;
    this.#memory = `${root}/memory/${relative}`;
    // "cpu" and "cpuacct" may be two names of one folder.
    this.folders = [...new Set([this.#cpu, this.#cpuacct, this.#memory])];
  }

  reset(limits: Limits | null): void {
    for (const folder of this.folders) make(folder);
    if (limits === null) return;
    writeFileSync(`${this.#cpu}/cpu.shares`, String(limits.cpuShares));
    writeFileSync(`${this.#memory}/memory.limit_in_bytes`, String(limits.memoryBytes));
    // Swap would only delay the kill. The file is absent without swap accounting.
    const withSwap = `${this.#memory}/memory.memsw.limit_in_bytes`;
    if (existsSync(withSwap)) writeFileSync(withSwap, String(limits.memoryBytes));
  }

  limitCpu(cores: number | null): void {
    const { quotaUs, periodUs } = bandwidthOf(cores);
    // Every intermediate pair of quota and period must be valid.
    writeFileSync(`${this.#cpu}/cpu.cfs_quota_us`, "-1");
    writeFileSync(`${this.#cpu}/cpu.cfs_period_us`, String(periodUs));
    writeFileSync(`${this.#cpu}/cpu.cfs_quota_us`, String(quotaUs));
  }

  usage(): Usage {
    const cpu = counters(`${this.#cpu}/cpu.stat`);
    return {
      cpuSeconds: counter(`${this.#cpuacct}/cpuacct.usage`) / 1e9,
      periods: cpu("nr_periods"),
      throttledPeriods: cpu("nr_throttled"),
      throttledSeconds: cpu("throttled_time") / 1e9,
      memoryBytes: counter(`${this.#memory}/memory.usage_in_bytes`),
      rssBytes: counters(`${this.#memory}/memory.stat`)("rss"),
      oomKills: counters(`${this.#memory}/memory.oom_control`)("oom_kill"),
    };
  }
}

class GroupV2 implements Group {
  readonly folders: readonly string[];
  readonly #folder: string;

  constructor(folder: string) {
    this.#folder = folder;
    this.folders = [folder];
  }

  reset(limits: Limits | null): void {
    make(this.#folder);
    if (limits === null) return;
    writeFileSync(`${this.#folder}/cpu.weight`, String(weightOf(limits.cpuShares)));
    writeFileSync(`${this.#folder}/memory.max`, String(limits.memoryBytes));
    // Swap would only delay the kill. The file is absent in a kernel without swap.
    const swap = `${this.#folder}/memory.swap.max`;
    if (existsSync(swap)) writeFileSync(swap, "0");
  }

  limitCpu(cores: number | null): void {
    const { quotaUs, periodUs } = bandwidthOf(cores);
    writeFileSync(`${this.#folder}/cpu.max`, `${quotaUs < 0 ? "max" : quotaUs} ${periodUs}`);
  }

  usage(): Usage {
    const cpu = counters(`${this.#folder}/cpu.stat`);
    return {
      cpuSeconds: cpu("usage_usec") / 1e6,
      periods: cpu("nr_periods"),
      throttledPeriods: cpu("nr_throttled"),
      throttledSeconds: cpu("throttled_usec") / 1e6,
      memoryBytes: counter(`${this.#folder}/memory.current`),
      rssBytes: counters(`${this.#folder}/memory.stat`)("anon"),
      oomKills: counters(`${this.#folder}/memory.events`)("oom_kill"),
    };
  }
}
