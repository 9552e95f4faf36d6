/** When the next scan is due, without drift. */

export interface Due {
  /** When the next scan is due, on the clock that `start` was read from. */
  readonly nextMs: number;
  /** How late this scan is. */
  readonly lateMs: number;
  /** Scans that are left out to catch up. */
  readonly skipped: number;
}

/**
 * Plans scan `n` (counted from 0, due at start + n periods) of a loop that looks at its clock at `nowMs`. A loop
 * that is more than one period late leaves out the scans it has missed instead of bunching them.
 */
export function plan(startMs: number, periodMs: number, n: number, nowMs: number): Due {
  const dueMs = startMs + n * periodMs;
  const lateMs = Math.max(0, nowMs - dueMs);
  const skipped = lateMs > periodMs ? Math.floor(lateMs / periodMs) : 0;
  return { nextMs: dueMs + (skipped + 1) * periodMs, lateMs, skipped };
}
