/** Series of numbers over the steps of a metric query. */
import type { Grouping } from "./ast.ts";
import { sorted } from "./log-query.ts";
import type { Labels } from "./pipeline.ts";

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
