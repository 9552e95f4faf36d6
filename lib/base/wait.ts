/** Waits for conditions instead of fixed times. */
import { type MonotonicClock, systemClock } from "./clock.ts";
import { DeadlineError } from "./errors.ts";

/** One observation of a condition: whether it holds, and the value as text. */
export interface Observation<T> {
  readonly ok: boolean;
  /** Short text for the progress line and for the error, such as `up=0 (wanted 1)`. */
  readonly seen: string;
  readonly value?: T;
}

export interface WaitOptions {
  /** Name of the condition, for "waiting for …" in messages. */
  readonly what: string;
  readonly deadlineMs: number;
  /** Pause between two observations. */
  readonly intervalMs?: number;
  readonly signal?: AbortSignal;
  /** Called after each observation that did not hold, with the time left. */
  readonly onProgress?: (seen: string, leftMs: number) => void;
  /**
   * Counts the deadline by monotonic time, so setting the wall clock neither ends nor extends a
   * wait.
   */
  readonly clock?: Omit<MonotonicClock, "nowMs">;
}

/**
 * Calls `look` until the condition holds, and returns the observed value.
 *
 * If `look` throws, the condition does not hold and the error's message is the observation. Throws
 * DeadlineError with the last observation after `deadlineMs`, and the signal's reason when it is
 * aborted.
 */
export async function waitUntil<T>(
  look: () => Observation<T> | Promise<Observation<T>>,
  options: WaitOptions,
): Promise<T | undefined> {
  const { what, deadlineMs, intervalMs = 200, signal, onProgress, clock = systemClock } = options;
  const endMs = clock.monotonicMs() + deadlineMs;
  for (;;) {
    signal?.throwIfAborted();
    const seen = await observe(look);
    if (seen.ok) return seen.value;
    const leftMs = endMs - clock.monotonicMs();
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
