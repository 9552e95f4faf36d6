/** The context of every experiment. */
import type { FileLock } from "../base/file-lock.ts";
import { tryNamedLock } from "../base/named-lock.ts";
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
   * Takes a lab for a run until the lock is released, also while the lab is down between two
   * incidents; undefined when another program has taken it.
   */
  readonly claimLab: (index: number) => FileLock | undefined;
  /**
   * Creates the display of one run; `prefix` starts each of its lines, to tell parallel runs apart.
   */
  readonly progress: (prefix?: string) => Progress;
}

/** A context with the labs of this machine. */
export function createRunContext(base: Omit<RunContext, "createLab" | "claimLab">): RunContext {
  return { ...base, createLab, claimLab: (index) => tryNamedLock(`cms-lab-${index}-run`) };
}
