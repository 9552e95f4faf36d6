/** Clocks, which tests replace. */
import { setTimeout } from "node:timers/promises";

/** A source of wall-clock time and of delays. */
export interface Clock {
  /** Milliseconds since the Unix epoch. */
  nowMs(): number;
  /** Resolves after `ms` milliseconds; rejects with the signal's reason when it is aborted. */
  sleep(ms: number, signal?: AbortSignal): Promise<void>;
}

/** A clock that can also measure durations. */
export interface MonotonicClock extends Clock {
  /** Milliseconds since a fixed moment, independent of changes of the wall clock. */
  monotonicMs(): number;
}

/** The machine's clock. */
export const systemClock: MonotonicClock = {
  nowMs: () => Date.now(),
  monotonicMs: () => performance.now(),
  sleep: async (ms, signal) => {
    try {
      await setTimeout(ms, undefined, signal === undefined ? {} : { signal });
    } catch (error) {
      throw signal?.aborted === true ? signal.reason : error;
    }
  },
};

/** A clock that moves only by advance() and sleep(). */
export class ManualClock implements MonotonicClock {
  #nowMs: number;
  #wallAheadMs = 0;

  constructor(startMs = 0) {
    this.#nowMs = startMs;
  }

  nowMs(): number {
    return this.#nowMs + this.#wallAheadMs;
  }

  monotonicMs(): number {
    return this.#nowMs;
  }

  /** Moves the clock forward by `ms` milliseconds. */
  advance(ms: number): void {
    this.#nowMs += ms;
  }

  /**
   * Sets the wall clock forward, or back with a negative `ms`; the monotonic time does not change.
   */
  setWall(ms: number): void {
    this.#wallAheadMs += ms;
  }

  async sleep(ms: number, signal?: AbortSignal): Promise<void> {
    signal?.throwIfAborted();
    this.#nowMs += ms;
    await Promise.resolve();
  }
}
