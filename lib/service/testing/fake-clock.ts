/** A clock with timers that moves only by its methods. */
import type { MonotonicClock } from "../../base/clock.ts";

interface Timer {
  dueMs: number;
  readonly periodMs: number | undefined;
  readonly action: () => void;
}

/** The wall clock at the start of every test: 2026-01-01T00:00:00Z. */
export const START_UNIX_MS = Date.UTC(2026, 0, 1);

export class FakeClock implements MonotonicClock {
  #elapsedMs = 0;
  readonly #timers = new Set<Timer>();

  nowMs(): number {
    return START_UNIX_MS + this.#elapsedMs;
  }

  monotonicMs(): number {
    return this.#elapsedMs;
  }

  sleep(ms: number): Promise<void> {
    return new Promise((resolve) => this.after(ms, resolve));
  }

  after(delayMs: number, action: () => void): void {
    this.#timers.add({ dueMs: this.#elapsedMs + delayMs, periodMs: undefined, action });
  }

  every(periodMs: number, action: () => void): void {
    this.#timers.add({ dueMs: this.#elapsedMs + periodMs, periodMs, action });
  }

  /**
   * Moves the clock forward by `ms` milliseconds and runs the timers that become due, in order of
   * time.
   */
  advance(ms: number): void {
    const endMs = this.#elapsedMs + ms;
    for (let timer = this.#next(endMs); timer !== undefined; timer = this.#next(endMs)) {
      this.#elapsedMs = Math.max(this.#elapsedMs, timer.dueMs);
      if (timer.periodMs === undefined) this.#timers.delete(timer);
      else timer.dueMs += timer.periodMs;
      timer.action();
    }
    this.#elapsedMs = endMs;
  }

  /**
   * Moves the clock forward without running timers, as if the program were busy: they run late, at
   * the next advance().
   */
  stall(ms: number): void {
    this.#elapsedMs += ms;
  }

  cancelAll(): void {
    this.#timers.clear();
  }

  #next(endMs: number): Timer | undefined {
    return [...this.#timers]
      .filter(({ dueMs }) => dueMs <= endMs)
      .toSorted((a, b) => a.dueMs - b.dueMs)[0];
  }
}
