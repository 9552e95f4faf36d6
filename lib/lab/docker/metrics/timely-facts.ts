/**
 * Answers scrapes in time on a loaded machine, where the engine may take longer than Prometheus'
 * timeout: returns the last facts if they are recent.
 */
import type { MonotonicClock } from "../../../base/clock.ts";
import { EnvironmentError } from "../../../base/errors.ts";

/** Half of the scrape timeout. */
const PATIENCE_MS = 1000;
/** Older facts would show an ended process as running. */
const MAX_AGE_MS = 8000;

export class TimelyFacts {
  readonly #read: (nowMs: number) => Promise<string>;
  readonly #clock: MonotonicClock;
  /** The pending read. */
  #reading: Promise<string> | undefined;
  #last: { readonly text: string; readonly atMs: number } | undefined;

  /** `read` asks the engine; calls never overlap. */
  constructor(read: (nowMs: number) => Promise<string>, clock: MonotonicClock) {
    this.#read = read;
    this.#clock = clock;
  }

  /** Returns current facts, or the last ones if recent; throws otherwise. */
  async text(): Promise<string> {
    this.#reading ??= this.#begin();
    const stop = new AbortController();
    const late = this.#clock.sleep(PATIENCE_MS, stop.signal).then(() => undefined);
    late.catch(() => {});
    try {
      return (await Promise.race([this.#reading, late])) ?? this.#recent();
    } finally {
      stop.abort();
    }
  }

  async #begin(): Promise<string> {
    const atMs = this.#clock.monotonicMs();
    try {
      const text = await this.#read(this.#clock.nowMs());
      this.#last = { text, atMs };
      return text;
    } finally {
      this.#reading = undefined;
    }
  }

  #recent(): string {
    const ageMs = this.#clock.monotonicMs() - (this.#last?.atMs ?? -Infinity);
    if (this.#last !== undefined && ageMs <= MAX_AGE_MS) return this.#last.text;
    throw new EnvironmentError("Cannot read the facts: the engine must answer, but takes too long");
  }
}
