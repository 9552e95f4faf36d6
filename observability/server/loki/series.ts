/** Series of numbers over the steps of a metric query. */
import { QueryError } from "../query-error.ts";
import type { Grouping } from "./ast.ts";
import { sorted } from "./log-query.ts";
import type { Labels } from "./pipeline.ts";

/** Loki's own limit on the series of one answer. */
const MAX_SERIES = 500;

/** The points in time at which a query is evaluated. */
export interface Steps {
  readonly startNs: bigint;
  readonly stepNs: bigint;
  readonly count: number;
}

/** One value per step; undefined where there is none. */
export interface MetricSeries {
  readonly labels: Labels;
  readonly values: readonly (number | undefined)[];
}

/** The labels of the group that a series belongs to. */
export function groupLabels(labels: Labels, { without, names }: Grouping): Labels {
  const kept = Object.entries(labels).filter(([name]) => names.includes(name) !== without);
  return sorted(Object.fromEntries(kept));
}

/** Refuses an answer of more series than Loki gives. */
export function limitSeries(count: number): void {
  if (count > MAX_SERIES) {
    throw new QueryError(
      `maximum number of series (${MAX_SERIES}) reached for a single query; consider reducing query cardinality by adding more specific stream selectors, reducing the time range, or aggregating results with functions like sum(), count() or topk()`,
    );
  }
}
