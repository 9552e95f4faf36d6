/** Whether a citation stands in the record. */
import type { Citation, EvidenceRecord } from "../../contract/answer.ts";
import { callOf } from "./toolbox.ts";

export function verifyCitation(
  citation: Citation,
  records: readonly EvidenceRecord[],
): { readonly grounded: true } | { readonly grounded: false; readonly reason: string } {
  const record = records.find(({ id }) => id === citation.call_id);
  if (record === undefined) return { grounded: false, reason: `no call ${citation.call_id}` };
  const stands = callOf(record).facts.some(
    (fact) =>
      fact.signal === citation.signal &&
      fact.service === citation.service &&
      String(fact.value) === String(citation.value),
  );
  return stands
    ? { grounded: true }
    : { grounded: false, reason: "the value does not stand in the recorded answer" };
}
