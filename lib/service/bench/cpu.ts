/** CPU time of this process by the purpose of its threads. */
import { readdirSync, readFileSync } from "node:fs";

/** USER_HZ, the unit of /proc: 100 per second on all supported machines. */
const TICK_US = 10_000;

/**
 * Microseconds by thread: the main thread, DDS receive threads, and all others; in user mode and in
 * the kernel.
 */
export interface Cpu extends Record<string, number> {
  main_us: number;
  main_kernel_us: number;
  receive_us: number;
  receive_kernel_us: number;
  other_us: number;
}

/** CPU time of this process so far; the same as `cpu()` in peer.c. */
export function cpuNow(): Cpu {
  const cpu: Cpu = {
    main_us: 0,
    main_kernel_us: 0,
    receive_us: 0,
    receive_kernel_us: 0,
    other_us: 0,
  };
  for (const id of readdirSync("/proc/self/task")) {
    const stat = readFileSync(`/proc/self/task/${id}/stat`, "utf8");
    const nameEnd = stat.lastIndexOf(")");
    // Source: proc(5). The text after the name starts with field 3; the times are fields 14 and 15.
    const fields = stat.slice(nameEnd + 2).split(" ");
    const [own, kernel] = [Number(fields[11]) * TICK_US, Number(fields[12]) * TICK_US];
    if (Number(id) === process.pid) {
      cpu.main_us += own;
      cpu.main_kernel_us += kernel;
    } else if (stat.slice(0, nameEnd).includes("(recv")) {
      cpu.receive_us += own;
      cpu.receive_kernel_us += kernel;
    } else cpu.other_us += own + kernel;
  }
  return cpu;
}

/** CPU time of this process since `before`. */
export function cpuSince(before: Cpu): Cpu {
  const now = cpuNow();
  for (const name of Object.keys(now)) {
    now[name] = (now[name] ?? 0) - (before[name] ?? 0);
  }
  return now;
}
