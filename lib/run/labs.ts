/**
 * Decides which labs a command may use: its own, never one in which another program runs an
 * incident.
 */
import { checkEngine } from "../lab/docker/diagnosis.ts";
import { EnvironmentError, UsageError } from "../base/errors.ts";
import type { Lab, LabStatus } from "../lab/lab.ts";
import type { RunContext } from "./context.ts";

export type { LabStatus } from "../lab/lab.ts";

const LAST_INDEX = 9;

/** Parallel labs: `count` of them, from index `first` on. */
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
  if (lifetime === "with-caller") throw inUse(index);
}

/** The labs requested by a command. */
export interface LabRequest {
  readonly engine: string;
  /** Index of the first one; absent: the first free ones. */
  readonly first?: number | undefined;
  readonly count: number;
}

/**
 * Throws UsageError when a run has claimed this lab, even if the lab is down between two incidents.
 */
export function refuseClaimed({ claimLab }: RunContext, index: number): void {
  const lock = claimLab(index);
  if (lock === undefined) throw inUse(index);
  lock.release();
}

const inUse = (index: number): UsageError =>
  new UsageError(
    `Cannot use lab ${index}: another run is using it; wait for its end, or choose another one with --lab`,
  );

/**
 * Runs `body` on labs that this program owns until it ends: labs that are down, and that no other
 * run has claimed. Never uses a lab that is up. Throws UsageError when the requested ones are not
 * free, or none are.
 */
export async function withOwnLabs<T>(
  context: RunContext,
  { engine, first, count }: LabRequest,
  body: (labs: LabRange) => Promise<T>,
): Promise<T> {
  const lastFirst = LAST_INDEX + 1 - count;
  if ((first ?? 0) > lastFirst) {
    throw new UsageError(
      `Cannot run ${count} labs from ${first}: the last index must be at most ${LAST_INDEX}, but is ${(first ?? 0) + count - 1}; lower --lab or --parallel`,
    );
  }
  const firsts = first === undefined ? Array.from({ length: lastFirst + 1 }, (_, i) => i) : [first];
  const refusals: UsageError[] = [];
  for (const candidate of firsts) {
    using claims = new DisposableStack();
    const refusal = await claim(context, { engine, first: candidate, count }, claims);
    if (refusal === undefined) {
      if (candidate > (first ?? 0)) context.progress().line(`lab ${candidate} is free and taken`);
      return await body({ engine, first: candidate, count });
    }
    refusals.push(refusal);
  }
  const [only] = refusals;
  if (refusals.length === 1 && only !== undefined) throw only;
  throw new UsageError(
    `Cannot run: ${count} neighbouring lab(s) of 0 to ${LAST_INDEX} must be free, but none are; take one down with \`bun run down --lab <index>\`, or wait for another run`,
  );
}

/** Claims all labs of the range, or returns why one is not available. */
async function claim(
  context: RunContext,
  { engine, first, count }: LabRange,
  claims: DisposableStack,
): Promise<UsageError | undefined> {
  for (let index = first; index < first + count; index++) {
    const lock = context.claimLab(index);
    if (lock === undefined) return inUse(index);
    claims.defer(() => lock.release());
    const status = await statusOf(context.createLab({ engine, index, lifetime: "until-down" }));
    if (status instanceof UsageError) return status;
    if (status?.lifetime === "with-caller") return inUse(index);
    if (status !== null) {
      return new UsageError(
        `Cannot use lab ${index}: it is up; take it down with \`bun run down --lab ${index}\`, or leave out --lab, and a free one is taken`,
      );
    }
  }
  return undefined;
}

/** A lab of another checkout is an environment error; for a run it is a lab that is not free. */
async function statusOf(lab: Lab): Promise<LabStatus | null | UsageError> {
  try {
    return await lab.status();
  } catch (error) {
    if (!(error instanceof EnvironmentError)) throw error;
    return new UsageError(error.message, { cause: error });
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

/** Information for users about the machine's container engine. */
export const checkContainers = checkEngine;
