/** What is known about one fault class. Each class is one file in `../faults/`; this is the shape of such a file. */
import type { Entailment } from "./entailment.ts";

/** What the named service is like right now, in the order in which it has to be asked. */
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
  /** What telemetry shows of a service that has it; a function where that follows from the other classes. */
  readonly entails: readonly Entailment[] | ((others: readonly Fault[]) => readonly Entailment[]);
  /** What telemetry shows of the whole system while no service has it. */
  readonly absent?: Entailment;
  /** What a service in this class can be like; another state contradicts the class. */
  readonly states: readonly ServiceState[];
  /** The words by which prose names it. */
  readonly words: RegExp;
}
