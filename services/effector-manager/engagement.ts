/** The course of an engagement: accepted, in flight, hit or miss. Pure. */
import type { Prng } from "../../lib/base/prng.ts";

export type Outcome = "HIT" | "MISS";

/** The outcome, decided at acceptance from the effector's own random source. */
export interface Course {
  /** From acceptance to launch, milliseconds. */
  readonly launchMs: number;
  /** From acceptance to the outcome, milliseconds. */
  readonly endMs: number;
  readonly outcome: Outcome;
}

const LAUNCH_MS = 1000;
const FLIGHT_MS = { min: 3000, max: 8000 };
const HIT_PROBABILITY = 0.7;
/** Maximum age of an order at its arrival; an older one comes from the history and is ignored. */
export const ORDER_TTL_MS = 10_000;

export function planCourse(prng: Prng): Course {
  const flightMs = FLIGHT_MS.min + prng.next() * (FLIGHT_MS.max - FLIGHT_MS.min);
  return {
    launchMs: LAUNCH_MS,
    endMs: LAUNCH_MS + flightMs,
    outcome: prng.next() < HIT_PROBABILITY ? "HIT" : "MISS",
  };
}
