/** What is known about one fault class. Each file of `../faults/` exports one. */
import type { Entailment } from "./entailment.ts";

/** The present state of a service. The first state that applies counts. */
export const STATES = {
  exited: "process gone",
  throttled: "held back by a quota",
  unreachable: "process runs, scrapes fail",
  mute: "runs and is scraped, but delivers nothing",
  overloaded: "has more work than it can do",
  working: "does what it should",
} as const;
export type ServiceState = keyof typeof STATES;

export interface Fault {
  /** Claims about a service with the fault; a function if they follow from the other classes. */
  readonly entails: readonly Entailment[] | ((others: readonly Fault[]) => readonly Entailment[]);
  /** Claim about the whole system while no service has the fault. */
  readonly absent?: Entailment;
  /** The culprit if it is no service; then all claims are about the whole system. */
  readonly culprit?: "host" | "telemetry";
  /** The states that a service with the fault can be in. */
  readonly states: readonly ServiceState[];
  /** Words by which a text names the class. */
  readonly words: RegExp;
}
