/** SQLite's integers have 64 bits. */

const MAX = 2n ** 63n - 1n;
const MIN = -(2n ** 63n);

/** Clamps to SQLite's range, since a query may reach back further. */
export function clampInt64(value: bigint): bigint {
  if (value > MAX) return MAX;
  return value < MIN ? MIN : value;
}
