/** Labs for runs: those that were up before are taken down and restored, and those of other programs are left alone. */
import { UsageError } from "../base/errors.ts";
import type { Lab } from "../lab/lab.ts";
import { type CommandContext, refuseToDisturb } from "./context.ts";
import { createProgress } from "./progress.ts";

const LAST_INDEX = 9;

export interface LabRange {
  readonly engine: string;
  readonly first: number;
  readonly count: number;
}

/** Runs `body` with the labs of this range free, and starts those again that were up before. */
export async function withOwnLabs<T>(
  context: CommandContext,
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
        createProgress({}).line("starting the lab again that was up before");
        await lab.up({ keepTelemetry: false });
      }
    }
  }
}
