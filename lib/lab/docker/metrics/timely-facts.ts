/**
 * Answers a scrape in time on a machine with much other work, where the engine needs longer for its answers than
 * Prometheus waits: with the last facts then, as long as they are recent.
 */
import type { MonotonicClock } from "../../../base/clock.ts";
import { EnvironmentError } from "../../../base/errors.ts";

/** Half of what a scrape may take. */
const PATIENCE_MS = 1000;
/** Older facts would show a process that ended as running. */
const MAX_AGE_MS = 8000;

export class TimelyFacts {
  readonly #read: (nowMs: number) => Promise<string>;
  readonly #clock: MonotonicClock;
  /** The reading that is under way. */
  #reading: Promise<string> | undefined;
  #last: { readonly text: string; readonly atMs: number } | undefined;

  /** `read` asks the engine; it is never called twice at the same time. */
  constructor(read: (nowMs: number) => Promise<string>, clock: MonotonicClock) {
    this.#read = read;
    this.#clock = clock;
  }

  /** Facts of now, or the last ones; throws when there are none that are recent. */
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
    throw new EnvironmentError("Cannot tell the facts: the engine must answer, but takes too long");
  }
}
