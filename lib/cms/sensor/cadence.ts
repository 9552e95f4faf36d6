/** Plans the times of scans without drift. */

export interface Due {
  /** Time of the next scan, on the clock of `start`. */
  readonly nextMs: number;
  /** How late this scan is, milliseconds. */
  readonly lateMs: number;
  /** Number of scans that are skipped to catch up. */
  readonly skipped: number;
}

/**
 * Plans scan `n` (from 0, due at start + n periods) for a loop that runs at `nowMs`. A loop that is
 * more than one period late skips the missed scans and does not run them in a burst.
 */
export function plan(startMs: number, periodMs: number, n: number, nowMs: number): Due {
  const dueMs = startMs + n * periodMs;
  const lateMs = Math.max(0, nowMs - dueMs);
  const skipped = lateMs > periodMs ? Math.floor(lateMs / periodMs) : 0;
  return { nextMs: dueMs + (skipped + 1) * periodMs, lateMs, skipped };
}
