/** The result of an investigator that uses no model. */
import type { Answer, EvidenceRecord } from "../contract/answer.ts";
import type { Investigation } from "./investigator.ts";

export interface Finished {
  readonly answer: Answer;
  readonly evidence?: readonly EvidenceRecord[];
  readonly wallMs?: number;
  readonly details?: Readonly<Record<string, unknown>>;
}

/** Wraps an answer that cost no model. */
export function finished({
  answer,
  evidence = [],
  wallMs = 0,
  details = {},
}: Finished): Investigation {
  return {
    outcome: { kind: "answered", answer },
    evidence,
    cost: {
      wallMs: Math.round(wallMs),
      modelMs: 0,
      rounds: evidence.length === 0 ? 0 : 1,
      toolCalls: evidence.length,
      modelCalls: 0,
      promptTokens: 0,
      completionTokens: 0,
    },
    struckCitations: 0,
    details,
  };
}
