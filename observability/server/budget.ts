/**
 * A query's share of the process: it yields to ingest every few milliseconds and ends at a
 * deadline.
 */
import { QueryTimeout } from "./query-error.ts";

const SLICE_MS = 5;
/** SQLite may have filtered a thousand rows for one result, so the clock is read often. */
const ROWS_PER_LOOK = 8;
const DEFAULT_DEADLINE_MS = 30_000;

export class Budget {
  readonly #deadlineMs: number;
  readonly #limitMs: number;
  #sliceEndMs: number;
  #rows = 0;

  constructor(limitMs = DEFAULT_DEADLINE_MS) {
    const nowMs = performance.now();
    this.#limitMs = limitMs;
    this.#deadlineMs = nowMs + limitMs;
    this.#sliceEndMs = nowMs + SLICE_MS;
  }

  /**
   * Counts rows, or work of the same cost. Returns a promise for the caller to await when its time
   * slice is used up; throws QueryTimeout after the deadline.
   */
  row(count = 1): Promise<void> | undefined {
    this.#rows += count;
    if (this.#rows < ROWS_PER_LOOK) return undefined;
    this.#rows = 0;
    const nowMs = performance.now();
    if (nowMs > this.#deadlineMs) {
      throw new QueryTimeout(
        `the query must end within ${this.#limitMs / 1000} s; ask for a shorter time`,
      );
    }
    if (nowMs < this.#sliceEndMs) return undefined;
    return this.#giveWay();
  }

  async #giveWay(): Promise<void> {
    await new Promise<void>((resolve) => {
      setImmediate(resolve);
    });
    this.#sliceEndMs = performance.now() + SLICE_MS;
  }
}
