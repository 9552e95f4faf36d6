/** Time series of a metric query. */
import { QueryError } from "../query-error.ts";
import type { Grouping } from "./ast.ts";
import { sorted } from "./log-query.ts";
import type { Labels } from "./pipeline.ts";

/** Loki's limit on the number of series in a result. */
const MAX_SERIES = 500;

/** The times at which a query is evaluated. */
export interface Steps {
  readonly startNs: bigint;
  readonly stepNs: bigint;
  readonly count: number;
}

/** One value per step; undefined where the series has none. */
export interface MetricSeries {
  readonly labels: Labels;
  readonly values: readonly (number | undefined)[];
}

/** The labels of the group of a series. */
export function groupLabels(labels: Labels, { without, names }: Grouping): Labels {
  const kept = Object.entries(labels).filter(([name]) => names.includes(name) !== without);
  return sorted(Object.fromEntries(kept));
}

/** Throws when a result has more series than Loki allows. */
export function limitSeries(count: number): void {
  if (count > MAX_SERIES) {
    throw new QueryError(
      `maximum number of series (${MAX_SERIES}) reached for a single query; consider reducing query cardinality by adding more specific stream selectors, reducing the time range, or aggregating results with functions like sum(), count() or topk()`,
    );
  }
}
