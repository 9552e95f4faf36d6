/** The aggregations that LogQL and TraceQL share; the values are at least one. */
const sum = (values: readonly number[]): number =>
  values.reduce((total, value) => total + value, 0);

export const AGGREGATE = {
  sum,
  avg: (values: readonly number[]) => sum(values) / values.length,
  min: (values: readonly number[]) => values.reduce((best, value) => Math.min(best, value)),
  max: (values: readonly number[]) => values.reduce((best, value) => Math.max(best, value)),
  count: (values: readonly number[]) => values.length,
} as const;
