/** The aggregations of LogQL and TraceQL; the list of values must not be empty. */
const sum = (values: readonly number[]): number =>
  values.reduce((total, value) => total + value, 0);

export const AGGREGATE = {
  sum,
  avg: (values: readonly number[]) => sum(values) / values.length,
  min: (values: readonly number[]) => values.reduce((best, value) => Math.min(best, value)),
  max: (values: readonly number[]) => values.reduce((best, value) => Math.max(best, value)),
  count: (values: readonly number[]) => values.length,
} as const;
