/** Waiting for conditions, never for time. */
import { type Clock, systemClock } from "./clock.ts";
import { DeadlineError } from "./errors.ts";

/** One look at a condition: whether it holds, and the value that says so in words. */
export interface Observation<T> {
  readonly ok: boolean;
  /** Short text for the progress line and for the error, such as `up=0 (wanted 1)`. */
  readonly seen: string;
  readonly value?: T;
}

export interface WaitOptions {
  /** What is waited for, as the end of "waiting for …". */
  readonly what: string;
  readonly deadlineMs: number;
  /** Pause between two looks. */
  readonly intervalMs?: number;
  readonly signal?: AbortSignal;
  /** Called after each look that did not hold, with the time left. */
  readonly onProgress?: (seen: string, leftMs: number) => void;
  readonly clock?: Clock;
}

/**
 * Looks until the condition holds and returns the value then seen.
 *
 * A look that throws counts as one that does not hold, and its message as what was seen.
 * Throws DeadlineError with the last observation after `deadlineMs`, and the signal's reason on abort.
 */
export async function waitUntil<T>(
  look: () => Observation<T> | Promise<Observation<T>>,
  options: WaitOptions,
): Promise<T | undefined> {
  const { what, deadlineMs, intervalMs = 200, signal, onProgress, clock = systemClock } = options;
  const endMs = clock.nowMs() + deadlineMs;
  for (;;) {
    signal?.throwIfAborted();
    const seen = await observe(look);
    if (seen.ok) return seen.value;
    const leftMs = endMs - clock.nowMs();
    if (leftMs <= 0) {
      throw new DeadlineError(
        `Gave up waiting for ${what} after ${(deadlineMs / 1000).toFixed(1)} s: last seen ${seen.seen}`,
      );
    }
    onProgress?.(seen.seen, leftMs);
    await clock.sleep(Math.min(intervalMs, leftMs), signal);
  }
}

async function observe<T>(
  look: () => Observation<T> | Promise<Observation<T>>,
): Promise<Observation<T>> {
  try {
    return await look();
  } catch (error) {
    return { ok: false, seen: error instanceof Error ? error.message : String(error) };
  }
}
