/** What every command needs: where the project is, how to stop, and which lab is meant. */
import { UsageError } from "../base/errors.ts";
import type { Lab, LabStatus, Lifetime } from "../lab/lab.ts";

export interface CommandContext {
  /** Aborted by Ctrl-C and SIGTERM. */
  readonly signal: AbortSignal;
  /** Writes a line to standard output. */
  readonly print: (text: string) => void;
  readonly createLab: (options: {
    readonly engine: string;
    readonly index: number;
    readonly lifetime: Lifetime;
  }) => Lab;
}

/** Throws UsageError unless the lab is up, and returns its status otherwise. */
export async function mustBeUp(lab: Lab): Promise<NonNullable<Awaited<ReturnType<Lab["status"]>>>> {
  const status = await lab.status();
  if (status === null) throw new UsageError("The lab is not up: start it with `bun run up`");
  refuseToDisturb(status);
  return status;
}

/** Throws UsageError for a lab in which a run is going on: what is broken there is meant to be. */
export function refuseToDisturb({ index, lifetime }: LabStatus): void {
  if (lifetime !== "with-caller") return;
  throw new UsageError(
    `Cannot use lab ${index}: another run is using it; wait for its end, or choose another one with --lab`,
  );
}
