/**
 * Starts and ends a lab repeatedly: each start and end must be in time and leave nothing behind.
 */
import { readdirSync, readFileSync } from "node:fs";
import { systemClock } from "../base/clock.ts";
import { messageOf } from "../base/errors.ts";
import { median } from "../base/figure.ts";
import type { Lab } from "../lab/lab.ts";
import type { Figure } from "./figure.ts";
import { leftoversOf } from "./footprint.ts";
import { growthPerHour, type Point, settled } from "./trend.ts";

export interface CyclesOptions {
  readonly lab: Lab;
  readonly index: number;
  readonly projectDir: string;
  readonly cycles: number;
  readonly signal: AbortSignal;
  readonly say: (line: string) => void;
}

/** Maximum start time on a loaded machine; an idle one needs less than two seconds. */
const SLOWEST_UP_S = 60;
const SLOWEST_DOWN_S = 20;
const MIB = 2 ** 20;
/** Growth of the measuring program per cycle. */
const KIB_PER_CYCLE = 200;

interface Cycle {
  readonly upSeconds: number;
  readonly downSeconds: number;
  readonly failure: string | undefined;
  readonly left: readonly string[];
  readonly descriptors: number;
  readonly memoryBytes: number;
}

export async function upAndDown(options: CyclesOptions): Promise<Figure[]> {
  const { cycles, signal, say } = options;
  const done: Cycle[] = [];
  const before = mounts();
  while (done.length < cycles && !signal.aborted) {
    const cycle = await once(options);
    done.push(cycle);
    const { upSeconds, downSeconds, failure, left } = cycle;
    const trouble = [failure, ...left].filter((text) => text !== undefined).join("; ");
    say(
      `${done.length} of ${cycles}: up ${upSeconds.toFixed(1)} s, down ${downSeconds.toFixed(1)} s${trouble === "" ? "" : `: ${trouble}`}`,
    );
  }
  return [...figuresOf(done, cycles), leftMounts(before)];
}

async function once({ lab, index, projectDir, signal }: CyclesOptions): Promise<Cycle> {
  const startedMs = systemClock.monotonicMs();
  let failure: string | undefined;
  try {
    await lab.up({ keepTelemetry: true, signal });
  } catch (error) {
    failure = messageOf(error);
  }
  const upMs = systemClock.monotonicMs() - startedMs;
  await lab.down();
  return {
    upSeconds: upMs / 1000,
    downSeconds: (systemClock.monotonicMs() - startedMs - upMs) / 1000,
    failure,
    left: leftoversOf(projectDir, index),
    descriptors: readdirSync("/proc/self/fd").length,
    memoryBytes: process.memoryUsage().rss,
  };
}

function figuresOf(done: readonly Cycle[], cycles: number): Figure[] {
  const failures = done.flatMap(({ failure }) => failure ?? []);
  const left = done.flatMap((cycle) => cycle.left);
  const slowest = (name: string, limit: number, values: readonly number[]): Figure => ({
    name: `${name}, slowest`,
    value: Math.max(...values),
    limit,
    unit: "s",
    note: `median ${median(values).toFixed(1)}`,
  });
  /** Growth by cycle instead of by hour: the x axis is the number of the cycle. */
  const perCycle = (valueOf: (cycle: Cycle) => number): number => {
    const points = done.map((cycle, i): Point => ({ atMs: i * 3_600_000, value: valueOf(cycle) }));
    return growthPerHour(settled(points));
  };
  return [
    { name: "cycles of up and down", value: done.length, limit: cycles, atLeast: true, unit: "" },
    { name: "failed starts", value: failures.length, limit: 0, unit: "", note: failures[0] ?? "" },
    slowest(
      "up",
      SLOWEST_UP_S,
      done.map(({ upSeconds }) => upSeconds),
    ),
    slowest(
      "down",
      SLOWEST_DOWN_S,
      done.map(({ downSeconds }) => downSeconds),
    ),
    {
      name: "left behind after any down",
      value: left.length,
      limit: 0,
      unit: "",
      note: left[0] ?? "",
    },
    {
      name: "descriptors of this program, growth",
      value: perCycle(({ descriptors }) => descriptors),
      limit: 0,
      unit: "/cycle",
      note: `at the end ${done.at(-1)?.descriptors}`,
    },
    {
      name: "memory of this program, growth",
      value: perCycle(({ memoryBytes }) => memoryBytes / 1024),
      limit: KIB_PER_CYCLE,
      unit: "KiB/cycle",
      note: `at the end ${((done.at(-1)?.memoryBytes ?? 0) / MIB).toFixed(0)} MiB`,
    },
  ];
}

const mounts = (): number => readFileSync("/proc/self/mounts", "utf8").split("\n").length;

const leftMounts = (before: number): Figure => ({
  name: "mounts, change",
  value: mounts() - before,
  limit: 0,
  unit: "",
});
