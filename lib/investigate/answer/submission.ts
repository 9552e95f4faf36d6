/**
 * Accepts the answers of all agents. The first answer with a defect is returned with complaints;
 * afterwards, defective parts are left out.
 */
import type { Answer, EvidenceRecord } from "../../contract/answer.ts";
import { checkCitation } from "../../contract/citation.ts";
import { readAnswer } from "./read-answer.ts";

export type Verdict =
  | {
      readonly accepted: true;
      readonly answer: Answer;
      /** Number of citations that were removed because they did not hold. */
      readonly struck: number;
      /** The parts of the answer that were left out. */
      readonly complaints: readonly string[];
    }
  | { readonly accepted: false; readonly reason: string };

export class Submission {
  readonly #records: () => readonly EvidenceRecord[];
  #sentBack = false;
  /** The last stated confidence; a failed agent is scored as wrong with it. */
  statedConfidence: number | undefined;

  /** `records` returns the calls so far. */
  constructor(records: () => readonly EvidenceRecord[]) {
    this.#records = records;
  }

  submit(raw: unknown): Verdict {
    const { answer, complaints, statedConfidence } = readAnswer(raw);
    this.statedConfidence = statedConfidence ?? this.statedConfidence;
    if (answer === null)
      return { accepted: false, reason: `not an answer: ${complaints.join("; ")}` };
    const checked = answer.evidence.map((citation) => ({
      citation,
      check: checkCitation(citation, this.#records()),
    }));
    const failed = checked.flatMap(({ citation, check }) =>
      check.grounded ? [] : [`${citation.signal} (${citation.call_id}): ${check.reason}`],
    );
    if (!this.#sentBack && complaints.length + failed.length > 0) {
      this.#sentBack = true;
      return { accepted: false, reason: sentBack(complaints, failed) };
    }
    const evidence = checked.flatMap(({ citation, check }) => (check.grounded ? [citation] : []));
    return { accepted: true, answer: { ...answer, evidence }, struck: failed.length, complaints };
  }
}

function sentBack(complaints: readonly string[], failed: readonly string[]): string {
  const citations =
    failed.length === 0 ? [] : [`these citations do not hold: ${failed.join("; ")}`];
  const fields =
    complaints.length === 0 ? [] : [`these fields break their rules: ${complaints.join("; ")}`];
  return `Correct and submit again; what is still wrong then is left out. ${[...fields, ...citations].join(". ")}`;
}
