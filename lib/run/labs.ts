/** Which labs a command may use: its own, never one in which another program runs an incident. */
import { checkEngine } from "../lab/docker/diagnosis.ts";
import { UsageError } from "../base/errors.ts";
import type { Lab, LabStatus } from "../lab/lab.ts";
import type { RunContext } from "./context.ts";

export type { LabStatus } from "../lab/lab.ts";

const LAST_INDEX = 9;

/** Labs side by side: `count` of them, from index `first` on. */
export interface LabRange {
  readonly engine: string;
  readonly first: number;
  readonly count: number;
}

/** Throws UsageError unless the lab is up and no other program runs an incident in it. */
export async function mustBeUp(lab: Lab): Promise<void> {
  const status = await lab.status();
  if (status === null) throw new UsageError("The lab is not up: start it with `bun run up`");
  refuseToDisturb(status);
}

/** Throws UsageError for a lab in which another program runs an incident: its fault is intended. */
export function refuseToDisturb({ index, lifetime }: LabStatus): void {
  if (lifetime !== "with-caller") return;
  throw new UsageError(
    `Cannot use lab ${index}: another run is using it; wait for its end, or choose another one with --lab`,
  );
}

/**
 * Takes down the labs of this range that are up, runs `body`, and starts them again. After Ctrl-C
 * they stay down, because starting a lab takes longer than a person waits for a program to end.
 */
export async function withOwnLabs<T>(
  context: RunContext,
  { engine, first, count }: LabRange,
  body: () => Promise<T>,
): Promise<T> {
  const last = first + count - 1;
  if (last > LAST_INDEX) {
    throw new UsageError(
      `Cannot run ${count} labs from ${first}: the last index must be at most ${LAST_INDEX}, but is ${last}; lower --lab or --parallel`,
    );
  }
  const wereUp: Lab[] = [];
  for (let index = first; index <= last; index++) {
    const lab = context.createLab({ engine, index, lifetime: "until-down" });
    const status = await lab.status();
    if (status === null) continue;
    refuseToDisturb(status);
    wereUp.push(lab);
  }
  for (const lab of wereUp) await lab.down();
  try {
    return await body();
  } finally {
    if (!context.signal.aborted) {
      for (const lab of wereUp) {
        context.progress().line("starting the lab again that was up before");
        await lab.up({ keepTelemetry: false });
      }
    }
  }
}

/** Takes items from the queue, one at a time on each lab of the range. */
export async function sideBySide<T>(
  { first, count }: LabRange,
  items: readonly T[],
  work: (item: T, labIndex: number) => Promise<void>,
): Promise<void> {
  const queue = [...items];
  const worker = async (labIndex: number): Promise<void> => {
    for (let item = queue.shift(); item !== undefined; item = queue.shift()) {
      await work(item, labIndex);
    }
  };
  await Promise.all(Array.from({ length: count }, (_, i) => worker(first + i)));
}

/** What a user should know about the container engine of this machine. */
export const checkContainers = checkEngine;
