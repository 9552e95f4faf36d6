/** Converts rows that a model names into citations, after checking each against the record. */
import type { Citation, EvidenceRecord } from "../../contract/answer.ts";
import type { CaseFile, Row } from "./case-file.ts";
import type { Report } from "./prompt.ts";
import { limited } from "../hypotheses/citations.ts";
import { harmless } from "../harmless.ts";
import { checkCitation } from "../../contract/citation.ts";

export interface Sorted {
  readonly good: readonly Citation[];
  /** Text for the model about invalid citations. */
  readonly complaints: readonly string[];
}

/** Splits the cited rows into valid citations and complaints. */
export function sortCitations(
  claimed: Report["evidence"],
  file: CaseFile,
  records: readonly EvidenceRecord[],
): Sorted {
  const good: Citation[] = [];
  const complaints: string[] = [];
  for (const id of new Set(claimed)) {
    const row = file.row(id);
    if (row === undefined) {
      complaints.push(`${harmless(id)} is no row of the table`);
      continue;
    }
    const citation = citationOf(row);
    const checked = checkCitation(citation, records);
    if (checked.grounded) good.push(citation);
    else complaints.push(`${row.id}: ${checked.reason}`);
  }
  return { good, complaints };
}

/** The citation of a row, with its value. */
function citationOf({ fact, before, callId }: Row): Citation {
  const change = before === undefined ? "" : `, before the incident ${harmless(before.value)}`;
  return {
    call_id: callId,
    signal: fact.signal,
    service: fact.service,
    value: limited(fact.value),
    claim: `${fact.signal} of ${fact.service ?? "the system"} is ${harmless(fact.value)}${change}`,
  };
}
