/** The facts in a recorded call, and the check of a citation against them. */
import { z } from "zod";
import type { Citation, EvidenceRecord } from "./answer.ts";

/** One fact in a tool's answer. Every answer is `{"facts": Fact[], …}` as JSON. */
export const FactSchema = z.object({
  /** Exact name of the metric, log event, span or state. */
  signal: z.string(),
  /** The service that it is about; null for the whole system. */
  service: z.string().nullable(),
  labels: z.record(z.string(), z.string()),
  value: z.union([z.number(), z.string()]),
  /** Time of the value: `before`, `during`, `now`, or an instant in ISO 8601. */
  when: z.string(),
});
export type Fact = z.infer<typeof FactSchema>;

const AnswerShape = z.object({ facts: z.array(FactSchema) });

/** The facts of a record; none if the call failed. */
export function factsOf(record: EvidenceRecord): readonly Fact[] {
  if (!record.ok) return [];
  try {
    return AnswerShape.safeParse(JSON.parse(record.answer)).data?.facts ?? [];
  } catch (error) {
    if (error instanceof SyntaxError) return [];
    throw error;
  }
}

export type CitationCheck =
  | {
      readonly grounded: true;
      readonly fact: Fact;
      /**
       * Other facts with the same signal, service and value, such as the one before the incident.
       */
      readonly others: readonly Fact[];
    }
  | { readonly grounded: false; readonly reason: string };

/**
 * Checks a citation: the cited call must exist, and its record must contain this value of this
 * signal.
 */
export function checkCitation(
  citation: Citation,
  records: readonly EvidenceRecord[],
): CitationCheck {
  const record = records.find(({ id }) => id === citation.call_id);
  if (record === undefined) {
    return { grounded: false, reason: `there is no call ${citation.call_id}` };
  }
  if (!record.ok) return { grounded: false, reason: `call ${citation.call_id} failed` };
  const about = factsOf(record).filter(
    ({ signal, service }) => signal === citation.signal && service === citation.service,
  );
  if (about.length === 0) {
    return {
      grounded: false,
      reason: `call ${citation.call_id} says nothing of ${citation.signal} of ${citation.service ?? "the system"}`,
    };
  }
  const [fact, ...others] = about.filter(({ value }) => sameValue(value, citation.value));
  return fact === undefined
    ? {
        grounded: false,
        reason: `call ${citation.call_id} gives another value of ${citation.signal}`,
      }
    : { grounded: true, fact, others };
}

/** A cited number may be rounded to three significant digits or more. */
function sameValue(read: number | string, cited: number | string): boolean {
  if (String(read) === String(cited)) return true;
  const [a, b] = [Number(read), Number(cited)];
  if (!Number.isFinite(a) || !Number.isFinite(b) || String(cited).trim() === "") return false;
  return Number(a.toPrecision(3)) === Number(b.toPrecision(3));
}
