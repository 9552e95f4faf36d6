/** A fuzz target: how to make an input, and what must hold for it. */
import type { Prng } from "../../base/prng.ts";

/** `taken`, or `refused` with the expected error; any other error is a finding. */
export type Verdict = "taken" | "refused";

export interface Target<Input = unknown> {
  readonly name: string;
  /** Inputs of a run by default, if the target is slow; a million otherwise. */
  readonly usualInputs?: number;
  make(prng: Prng): Input;
  /** Throws if the input crashes the part or breaks a rule about its result. */
  attempt(input: Input): Verdict | Promise<Verdict>;
  /** The input as text for people and tests. */
  show(input: Input): string;
}

/** Runs `body`: `taken`, or `refused` if it throws an error that `isExpected`. */
export function verdictOf(body: () => unknown, isExpected: (error: unknown) => boolean): Verdict {
  try {
    body();
    return "taken";
  } catch (error) {
    if (isExpected(error)) return "refused";
    throw error;
  }
}

/** Throws if a rule about a result does not hold. */
export function must(holds: boolean, rule: string): void {
  if (!holds) throw new Error(`broken rule: ${rule}`);
}
