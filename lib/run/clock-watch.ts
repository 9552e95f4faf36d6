/**
 * Detects that the machine's clock was set, or that the machine was suspended: both move its wall
 * clock relative to its monotonic clock. Times of telemetry before and after cannot be compared, so
 * the run is invalid.
 */
import type { MonotonicClock } from "../base/clock.ts";
import { EnvironmentError } from "../base/errors.ts";

const LOOK_EVERY_MS = 500;
/** Half of the scrape interval of two seconds; smaller jumps have no effect. */
const MAX_JUMP_MS = 1000;

export class ClockWatch implements Disposable {
  readonly #clock: MonotonicClock;
  readonly #jumped = new AbortController();
  readonly #timer: ReturnType<typeof setInterval>;
  #aheadMs: number;

  constructor(clock: MonotonicClock) {
    this.#clock = clock;
    this.#aheadMs = this.#ahead();
    this.#timer = setInterval(() => this.look(), LOOK_EVERY_MS);
    this.#timer.unref();
  }

  /** Aborts, with an EnvironmentError, as soon as the clock has jumped. */
  get signal(): AbortSignal {
    return this.#jumped.signal;
  }

  /** Checks the clock now; returns why the run is invalid, or undefined. */
  look(): EnvironmentError | undefined {
    const aheadMs = this.#ahead();
    const jumpMs = aheadMs - this.#aheadMs;
    // Compared with the last check only, so that slow corrections by a time service do not add up.
    this.#aheadMs = aheadMs;
    if (Math.abs(jumpMs) > MAX_JUMP_MS && !this.signal.aborted) {
      const seconds = (Math.abs(jumpMs) / 1000).toFixed(1);
      this.#jumped.abort(
        new EnvironmentError(
          `The machine's clock jumped ${jumpMs > 0 ? "forward" : "back"} by ${seconds} s (it was set, or the machine was suspended)`,
        ),
      );
    }
    return this.signal.aborted ? (this.signal.reason as EnvironmentError) : undefined;
  }

  [Symbol.dispose](): void {
    clearInterval(this.#timer);
  }

  #ahead(): number {
    return this.#clock.nowMs() - this.#clock.monotonicMs();
  }
}
