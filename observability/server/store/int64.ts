/** SQLite's integers have 64 bits. */

const MAX = 2n ** 63n - 1n;
const MIN = -(2n ** 63n);

/** The nearest number that SQLite can compare with: a query may look back further than time does. */
export function clampInt64(value: bigint): bigint {
  if (value > MAX) return MAX;
  return value < MIN ? MIN : value;
}
