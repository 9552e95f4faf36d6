/**
 * Divides the time of a message: CPU time of each side's threads, and of each step within one
 * process.
 */
import { printFigure } from "../../base/figure.ts";
import { mustRun } from "../../base/shell.ts";
import { exchange, type Figures, peerEnv, type Peers } from "./harness.ts";

const MESSAGES = 1_000_000;
const STEPS = 20_000;

/** Names of the figures of cpu.ts. */
const THREADS = {
  main_us: "main thread",
  main_kernel_us: "main thread in the kernel",
  receive_us: "receive thread",
  receive_kernel_us: "receive thread in the kernel",
  other_us: "other threads",
} as const;

/** Names of the figures of the peers' mode `steps`. */
const STEP_NAMES = {
  write_ns: "write to a reader of the same process",
  take_ns: "take, nothing read",
  fields_ns: "read every field",
  object_ns: "take as an object, every field read",
} as const;

/**
 * Prints the CPU time per message of each thread of a reading or writing process, with C's as the
 * reference.
 */
function printThreads(side: string, ours: Figures, theirs: Figures): void {
  const perMessage = (figures: Figures, name: string): number => (figures[name] ?? 0) / MESSAGES;
  const names = Object.keys(THREADS) as (keyof typeof THREADS)[];
  for (const name of names) {
    const [value, reference] = [perMessage(ours, name), perMessage(theirs, name)];
    printFigure(`profile: ${side}, ${THREADS[name]}`, value, "us/msg", reference);
  }
  const total = (figures: Figures): number =>
    names.reduce((sum, name) => sum + perMessage(figures, name), 0);
  printFigure(`profile: ${side}, all of it`, total(ours), "us/msg", total(theirs));
}

/** Prints the figures that explain the difference between the binding and C. */
export async function profile({ c, js }: Peers): Promise<void> {
  const n = String(MESSAGES);
  const inC = await exchange([...c, "read", n], [...c, "write", n]);
  const reading = await exchange([...js, "view", n], [...c, "write", n]);
  const writing = await exchange([...c, "read", n], [...js, "write", n]);
  printThreads("reader", reading.read, inC.read);
  printThreads("writer", writing.written, inC.written);
  const wakeUps = ({ read }: { read: Figures }): number => MESSAGES / (read["wake_ups"] ?? 0);
  printFigure("profile: messages a wake-up", wakeUps(reading), "1", wakeUps(inC));
  // Otherwise glibc would return memory after each round, and page faults of the next round would
  // hide the rest.
  const env = peerEnv({ MALLOC_TRIM_THRESHOLD_: String(2 ** 30) });
  const steps = async (side: readonly string[]): Promise<Figures> =>
    JSON.parse(await mustRun([...side, "steps", String(STEPS)], { env })) as Figures;
  const [ours, theirs] = [await steps(js), await steps(c)];
  for (const [name, words] of Object.entries(STEP_NAMES)) {
    printFigure(`profile: ${words}`, ours[name] ?? Number.NaN, "ns/msg", theirs[name] ?? null);
  }
}
