/**
 * What a fault entails, as data that can be checked against telemetry.
 *
 * A "must" that does not hold refutes the class for that service; one that holds confirms it a little. A "supports" confirms when it
 * holds and says nothing when it does not. A query without an answer (a service that has no such metric) leaves the claim open, unless
 * its absence is the point.
 *
 * In a query `$service` stands for the service; queries are instant PromQL that give one number.
 */
import { COMPARE } from "../../base/compare.ts";
import type { ServiceName } from "../../contract/topology.ts";

export interface Entailment {
  /** What must be true of the service, in words. */
  readonly claim: string;
  /** The metric that shows it, for a citation. */
  readonly signal: string;
  readonly promql: string;
  readonly holds: { readonly op: "==" | ">" | ">=" | "<" | "<="; readonly value: number };
  readonly weight: "must" | "supports";
  /** What it means when the query finds nothing. */
  readonly noData: "open" | "refutes";
  /** Instead of `promql`, to find when it began, where that looks back too far to tell; the same `holds`. */
  readonly begins?: string;
  /** For a claim about the whole system: PromQL that finds who breaks it, one series for each. */
  readonly culprits?: string;
}

export type Draft = Omit<Entailment, "weight" | "noData"> & { readonly noData?: "refutes" };

export const must = (draft: Draft): Entailment => ({ noData: "open", ...draft, weight: "must" });
export const supports = (draft: Draft): Entailment => ({
  noData: "open",
  ...draft,
  weight: "supports",
});

/** The query of an entailment for one service; null stands for any. */
export function entailmentQuery({ promql }: Entailment, service: ServiceName | null): string {
  return promql.replaceAll("$service", service ?? ".+");
}

/** The query that tells when what an entailment says of a service began. */
export function beginningQuery(entailment: Entailment, service: ServiceName | null): string {
  const { begins, promql } = entailment;
  return entailmentQuery({ ...entailment, promql: begins ?? promql }, service);
}

/** Whether a value satisfies what an entailment says. */
export function entailmentHolds({ holds }: Entailment, value: number): boolean {
  return COMPARE[holds.op](value, holds.value);
}

/** Whether two entailments ask the same and expect the same. */
export function isSameClaim(a: Entailment, b: Entailment): boolean {
  return a.promql === b.promql && a.holds.op === b.holds.op && a.holds.value === b.holds.value;
}
