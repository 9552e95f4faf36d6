/**
 * Control groups, which limit a service's process and count its resource use. Supports version 1
 * (one mount per controller) and version 2 (one tree).
 */
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmdirSync,
  writeFileSync,
} from "node:fs";
import { EnvironmentError } from "../../base/errors.ts";
import { waitUntil } from "../../base/wait.ts";

const ROOT = "/sys/fs/cgroup";
/** The kernel's default period. Its maximum of a second is needed for MIN_CORES. */
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
const isV2 = (): boolean => existsSync(`${ROOT}/cgroup.controllers`);

/** Parses a file of "name value" lines. */
function fields(path: string): ReadonlyMap<string, number> {
  return new Map(
    read(path)
      .trim()
      .split("\n")
      .map((line) => {
        const [name = "", value = ""] = line.split(" ");
        return [name, Number(value)] as const;
      }),
  );
}

/** All groups of a lab have one parent, so that leftovers of a lab can be found by its name. */
export const parentName = (index: number): string => `cms-lab-${index}`;

export function createGroup(index: number, name: string): Group {
  const relative = `${parentName(index)}/${name}`;
  return isV2() ? new GroupV2(`${ROOT}/${relative}`, index) : new GroupV1(relative);
}

/** Removes all empty groups of a lab. Returns the remaining folders. */
export function removeGroups(index: number): string[] {
  const left: string[] = [];
  const roots = isV2() ? [ROOT] : ["cpu", "cpuacct", "memory"].map((name) => `${ROOT}/${name}`);
  for (const parent of new Set(roots.map((root) => `${root}/${parentName(index)}`))) {
    if (!existsSync(parent)) continue;
    for (const entry of readdirSync(parent, { withFileTypes: true })) {
      if (entry.isDirectory()) remove(`${parent}/${entry.name}`, left);
    }
    remove(parent, left);
  }
  return left;
}

/** Deadline for killed processes to leave their groups. */
const EMPTY_DEADLINE_MS = 20_000;

/** Removes all groups of a lab once the killed processes have left them. */
export async function emptyGroups(index: number): Promise<void> {
  await waitUntil(
    () => {
      const left = removeGroups(index);
      return { ok: left.length === 0, seen: left.join(", ") };
    },
    {
      what: "the lab's control groups to empty",
      deadlineMs: EMPTY_DEADLINE_MS,
      intervalMs: 50,
    },
  );
}

function remove(folder: string, left: string[]): void {
  try {
    rmdirSync(folder);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ENOENT") left.push(folder);
  }
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

  constructor(relative: string) {
    this.#cpu = `${ROOT}/cpu/${relative}`;
    this.#cpuacct = `${ROOT}/cpuacct/${relative}`;
    this.#memory = `${ROOT}/memory/${relative}`;
    // "cpu" and "cpuacct" may be links to one folder.
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
    const cpu = fields(`${this.#cpu}/cpu.stat`);
    return {
      cpuSeconds: Number(read(`${this.#cpuacct}/cpuacct.usage`)) / 1e9,
      periods: cpu.get("nr_periods") ?? 0,
      throttledPeriods: cpu.get("nr_throttled") ?? 0,
      throttledSeconds: (cpu.get("throttled_time") ?? 0) / 1e9,
      memoryBytes: Number(read(`${this.#memory}/memory.usage_in_bytes`)),
      rssBytes: fields(`${this.#memory}/memory.stat`).get("rss") ?? 0,
      oomKills: fields(`${this.#memory}/memory.oom_control`).get("oom_kill") ?? 0,
    };
  }
}

class GroupV2 implements Group {
  readonly folders: readonly string[];
  readonly #folder: string;
  readonly #parent: string;

  constructor(folder: string, index: number) {
    this.#folder = folder;
    this.#parent = `${ROOT}/${parentName(index)}`;
    this.folders = [folder];
  }

  reset(limits: Limits | null): void {
    mkdirSync(this.#parent, { recursive: true });
    writeFileSync(`${ROOT}/cgroup.subtree_control`, "+cpu +memory");
    writeFileSync(`${this.#parent}/cgroup.subtree_control`, "+cpu +memory");
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
    const cpu = fields(`${this.#folder}/cpu.stat`);
    return {
      cpuSeconds: (cpu.get("usage_usec") ?? 0) / 1e6,
      periods: cpu.get("nr_periods") ?? 0,
      throttledPeriods: cpu.get("nr_throttled") ?? 0,
      throttledSeconds: (cpu.get("throttled_usec") ?? 0) / 1e6,
      memoryBytes: Number(read(`${this.#folder}/memory.current`)),
      rssBytes: fields(`${this.#folder}/memory.stat`).get("anon") ?? 0,
      oomKills: fields(`${this.#folder}/memory.events`).get("oom_kill") ?? 0,
    };
  }
}
