/** From rows that a model names to citations that hold: each is read again in the record before it counts. */
import type { Citation, EvidenceRecord } from "../../contract/answer.ts";
import type { CaseFile, Row } from "./case-file.ts";
import type { Report } from "./prompt.ts";
import type { Check } from "./refute.ts";
import { harmless, shortNumber } from "./text.ts";
import { checkCitation } from "../../contract/citation.ts";

/** Most citations that an answer needs; the contract allows more. */
const MOST_CITATIONS = 14;

export interface Sorted {
  readonly good: readonly Citation[];
  /** What was wrong with the others, for the model. */
  readonly complaints: readonly string[];
}

/** Sorts what the model cited into what stands in the record and what does not. */
export function sortCitations(
  claimed: Report["evidence"],
  file: CaseFile,
  records: readonly EvidenceRecord[],
): Sorted {
  const good: Citation[] = [];
  const complaints: string[] = [];
  for (const { fact, value } of claimed) {
    const row = file.row(fact);
    if (row === undefined) {
      complaints.push(`${harmless(fact)} is no row of the table`);
      continue;
    }
    const citation = citationOf(row, value);
    const checked = checkCitation(citation, records);
    if (checked.grounded) good.push(citation);
    else complaints.push(`${row.id} with value ${harmless(value)}: ${checked.reason}`);
  }
  return { good, complaints };
}

/** The citation of a row with the value that the model read; a value as shown stands for the exact one. */
function citationOf(row: Row, claimedValue: string | number): Citation {
  const { fact, before, callId } = row;
  const shown = harmless(fact.value);
  const asShown = String(claimedValue).trim() === shown || claimedValue === fact.value;
  const change = before === undefined ? "" : `, before the incident ${harmless(before.value)}`;
  return {
    call_id: callId,
    signal: fact.signal,
    service: fact.service,
    value: limited(asShown ? fact.value : claimedValue),
    claim: `${fact.signal} of ${fact.service ?? "the system"} is ${shown}${change}`,
  };
}

/** Citations of what the tools confirmed about the diagnosis. */
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

/** Joins lists of citations, the first of equal ones counting. */
export function joinCitations(...lists: readonly (readonly Citation[])[]): Citation[] {
  const joined = new Map<string, Citation>();
  for (const citation of lists.flat()) {
    const key = JSON.stringify([citation.signal, citation.service, citation.value]);
    if (!joined.has(key)) joined.set(key, citation);
  }
  return [...joined.values()].slice(0, MOST_CITATIONS);
}

const limited = (value: string | number): string | number =>
  typeof value === "string" ? value.slice(0, 300) : value;
