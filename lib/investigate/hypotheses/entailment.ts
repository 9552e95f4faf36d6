/**
 * What a fault entails, as data that can be checked against telemetry.
 *
 * A "must" that does not hold refutes the class for the service; one that holds confirms it. A
 * "supports" that holds confirms the class; one that does not hold changes nothing. A query without
 * data leaves the claim open, unless `noData` says that it refutes the class.
 *
 * `$service` in a query is replaced by the service. A query is instant PromQL that returns one
 * number.
 */
import { COMPARE } from "../../base/compare.ts";
import type { ServiceName } from "../../contract/topology.ts";

export interface Entailment {
  /** What must be true of the service, as text. */
  readonly claim: string;
  /** The metric that shows it, for a citation. */
  readonly signal: string;
  readonly promql: string;
  readonly holds: { readonly op: "==" | ">" | ">=" | "<" | "<="; readonly value: number };
  readonly weight: "must" | "supports";
  /** The outcome when the query returns no data. */
  readonly noData: "open" | "refutes";
  /** The query for the onset, if `promql` looks back too far to show it; the same `holds`. */
  readonly begins?: string;
  /** For a claim about the whole system: PromQL with one series for each service that breaks it. */
  readonly culprits?: string;
}

export type Draft = Omit<Entailment, "weight" | "noData"> & { readonly noData?: "refutes" };

export const must = (draft: Draft): Entailment => ({ noData: "open", ...draft, weight: "must" });
export const supports = (draft: Draft): Entailment => ({
  noData: "open",
  ...draft,
  weight: "supports",
});

/** The query of an entailment for one service; null for any service. */
export function entailmentQuery({ promql }: Entailment, service: ServiceName | null): string {
  return promql.replaceAll("$service", service ?? ".+");
}

/** The query for the time since which an entailment holds for a service. */
export function beginningQuery(entailment: Entailment, service: ServiceName | null): string {
  const { begins, promql } = entailment;
  return entailmentQuery({ ...entailment, promql: begins ?? promql }, service);
}

/** Whether a value satisfies an entailment. */
export function entailmentHolds({ holds }: Entailment, value: number): boolean {
  return COMPARE[holds.op](value, holds.value);
}

/** Whether two entailments have the same query and condition. */
export function isSameClaim(a: Entailment, b: Entailment): boolean {
  return a.promql === b.promql && a.holds.op === b.holds.op && a.holds.value === b.holds.value;
}
