/** Latency measurement of both kinds of reader: the time from before a write to the handler. */
import { systemClock } from "../../base/clock.ts";

/** Number of first messages whose latency does not count, as in peer.c. */
export const RUN_IN = 1800;

/**
 * Milliseconds since the epoch with a finer resolution than the wall clock: its steps give the
 * offset of the monotonic clock.
 */
export function unixClock(): () => number {
  const until = performance.now() + 30;
  let offset = Number.NEGATIVE_INFINITY;
  while (performance.now() < until) {
    offset = Math.max(offset, systemClock.nowMs() - performance.now());
  }
  return () => offset + performance.now();
}

/** The latencies of `count` messages in order of arrival. */
export class Latencies {
  readonly #ms: Float64Array;
  readonly #unixMs = unixClock();
  #count = 0;

  constructor(count: number) {
    this.#ms = new Float64Array(count);
  }

  /** Whether all messages have arrived. */
  get isComplete(): boolean {
    return this.#count === this.#ms.length;
  }

  note(writtenUnixMs: number): void {
    this.#ms[this.#count++] = this.#unixMs() - writtenUnixMs;
  }

  figures(): { p50_us: number; p99_us: number } {
    const measured = this.#ms.subarray(RUN_IN).sort();
    return { p50_us: percentile(measured, 0.5) * 1000, p99_us: percentile(measured, 0.99) * 1000 };
  }
}

export const percentile = (sorted: Float64Array, share: number): number =>
  sorted[Math.floor(sorted.length * share)] ?? Number.NaN;
