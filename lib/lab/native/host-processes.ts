/** The lab's processes as seen by the host: their ids and resource use. */
import { readdirSync, readFileSync, readlinkSync } from "node:fs";

/** `sysconf(_SC_CLK_TCK)`, the time unit of /proc: 100 per second on every Linux. */
const TICKS_PER_SECOND = 100;

/** Resource use of a set of processes. */
export interface ProcessUse {
  readonly processes: number;
  /** CPU seconds since each process started. */
  readonly cpuSeconds: number;
  /** Proportional set size in bytes: memory with shared pages divided among their users. */
  readonly pssBytes: number;
}

/** The processes of a pid namespace (`pid:[4026…]`): host id by inner id. */
export function hostPids(namespace: string): ReadonlyMap<number, number> {
  const found = new Map<number, number>();
  for (const entry of readdirSync("/proc")) {
    if (!/^\d+$/.test(entry) || namespaceOf(entry) !== namespace) continue;
    const status = read(`/proc/${entry}/status`) ?? "";
    const inner = /^NSpid:.*\t(\d+)$/m.exec(status)?.[1];
    if (inner !== undefined) found.set(Number(inner), Number(entry));
  }
  return found;
}

/** Direct children of `pid`. */
export function childrenOf(pid: number): number[] {
  const text = read(`/proc/${pid}/task/${pid}/children`) ?? "";
  return text.trim().split(" ").filter(Boolean).map(Number);
}

/** Sums the use of processes; an ended process counts as zero. */
export function useOf(pids: Iterable<number>): ProcessUse {
  let [processes, cpuSeconds, pssBytes] = [0, 0, 0];
  for (const pid of pids) {
    const stat = read(`/proc/${pid}/stat`);
    if (stat === undefined) continue;
    // The program's name is in brackets and may contain blanks; user and system time are fields 14
    // and 15.
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    processes += 1;
    cpuSeconds += (Number(fields[11]) + Number(fields[12])) / TICKS_PER_SECOND;
    const pss = /^Pss:\s+(\d+) kB$/m.exec(read(`/proc/${pid}/smaps_rollup`) ?? "");
    pssBytes += Number(pss?.[1] ?? 0) * 1024;
  }
  return { processes, cpuSeconds, pssBytes };
}

function namespaceOf(pid: string): string | undefined {
  try {
    return readlinkSync(`/proc/${pid}/ns/pid`);
  } catch {
    // The process ended after /proc was listed, or is a zombie.
    return undefined;
  }
}

function read(path: string): string | undefined {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return undefined;
  }
}
