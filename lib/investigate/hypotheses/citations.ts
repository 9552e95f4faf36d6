/** Citations of confirmed claims. Each is checked against the record first. */
import type { Citation, EvidenceRecord } from "../../contract/answer.ts";
import { checkCitation } from "../../contract/citation.ts";
import { shortNumber } from "../harmless.ts";
import type { Check } from "./refute.ts";

/** Maximum number of citations in an answer; the contract allows more. */
const MAX_CITATIONS = 14;

/** Citations of the claims that the tools confirmed for the diagnosis. */
export function citationsOfChecks(
  checks: readonly Check[],
  records: readonly EvidenceRecord[],
): Citation[] {
  const citations: Citation[] = [];
  for (const { outcome, entailment, fact, callId } of checks) {
    if (outcome !== "confirmed" || fact === undefined) continue;
    const citation: Citation = {
      call_id: callId,
      signal: fact.signal,
      service: fact.service,
      value: limited(fact.value),
      claim: `${entailment.claim}: ${entailment.signal} gives ${shortNumber(Number(fact.value))}`,
    };
    if (checkCitation(citation, records).grounded) citations.push(citation);
  }
  return citations;
}

/** Joins lists of citations and drops repetitions. */
export function joinCitations(...lists: readonly (readonly Citation[])[]): Citation[] {
  const joined = new Map<string, Citation>();
  for (const citation of lists.flat()) {
    const key = JSON.stringify([citation.signal, citation.service, citation.value]);
    if (!joined.has(key)) joined.set(key, citation);
  }
  return [...joined.values()].slice(0, MAX_CITATIONS);
}

/** A value cut to the maximum length in a citation. */
export const limited = (value: string | number): string | number =>
  typeof value === "string" ? value.slice(0, 300) : value;
