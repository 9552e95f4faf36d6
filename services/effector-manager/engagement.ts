/** The course of an engagement: accepted, in flight, hit or miss. Pure. */
import type { Prng } from "../../lib/base/prng.ts";

export type Outcome = "HIT" | "MISS";

/** What will happen, decided at acceptance from the effector's own random source. */
export interface Course {
  /** From acceptance to launch, milliseconds. */
  readonly launchMs: number;
  /** From acceptance to the outcome, milliseconds. */
  readonly endMs: number;
  readonly outcome: Outcome;
}

const LAUNCH_MS = 1000;
const FLIGHT_MS = { least: 3000, most: 8000 };
const HIT_PROBABILITY = 0.7;
/** An order older than this when it arrives belongs to the past: it came out of the history. */
export const ORDER_TTL_MS = 10_000;

export function planCourse(prng: Prng): Course {
  const flightMs = FLIGHT_MS.least + prng.next() * (FLIGHT_MS.most - FLIGHT_MS.least);
  return {
    launchMs: LAUNCH_MS,
    endMs: LAUNCH_MS + flightMs,
    outcome: prng.next() < HIT_PROBABILITY ? "HIT" : "MISS",
  };
}
