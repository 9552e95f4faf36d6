/** What is fuzzed: how an input is made, and what must hold for it. */
import type { Prng } from "../../base/prng.ts";

/** `taken`, or `refused` with the error that callers expect; anything that is thrown is a finding. */
export type Verdict = "taken" | "refused";

export interface Target<Input = unknown> {
  readonly name: string;
  make(prng: Prng): Input;
  /** Throws when the input crashes the part, or a rule about its result is broken. */
  attempt(input: Input): Verdict | Promise<Verdict>;
  /** The input as text, for a person and for a test. */
  show(input: Input): string;
}

/** Runs `body`: `taken`, or `refused` when it throws what `isExpected`. */
export function verdictOf(body: () => unknown, isExpected: (error: unknown) => boolean): Verdict {
  try {
    body();
    return "taken";
  } catch (error) {
    if (isExpected(error)) return "refused";
    throw error;
  }
}

/** Throws when a rule about a result does not hold. */
export function must(holds: boolean, rule: string): void {
  if (!holds) throw new Error(`broken rule: ${rule}`);
}
