/** What every experiment gets from the program that starts it. */
import { createLab } from "../lab/create-lab.ts";
import type { Lab, Lifetime } from "../lab/lab.ts";
import type { Progress } from "./progress.ts";

export interface RunContext {
  /** Aborted by Ctrl-C and SIGTERM. */
  readonly signal: AbortSignal;
  readonly createLab: (choice: {
    readonly engine: string;
    readonly index: number;
    readonly lifetime: Lifetime;
  }) => Lab;
  /**
   * Creates the display of one run; `prefix` starts each of its lines, to tell parallel runs apart.
   */
  readonly progress: (prefix?: string) => Progress;
}

/** A context with the labs of this machine. */
export function createRunContext(base: Omit<RunContext, "createLab">): RunContext {
  return { ...base, createLab };
}
