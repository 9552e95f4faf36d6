/**
 * The ways in which a model can fail. Each becomes an agent failure with a reason, never a crash.
 */

export const MODEL_FAILURES = {
  unreachable: "no model server answers",
  "not-pulled": "the server does not have the model",
  timeout: "the model did not answer in its time",
  "cut-off": "the stream ended before the answer did",
  truncated: "the answer was longer than its limit of tokens",
  repetition: "the model repeated itself without end",
  empty: "the model returned no text",
  refusal: "the model answered with prose where a decision was asked for",
  "broken-json": "the answer was not the JSON that was asked for",
  "server-error": "the server reported an error",
  unsupported: "the server does not support the form of the question",
  budget: "the budget of time or tokens was used up",
} as const;
export type ModelFailureKind = keyof typeof MODEL_FAILURES;

/** A call to a model that returned no usable answer. */
export class ModelFailure extends Error {
  readonly kind: ModelFailureKind;

  constructor(kind: ModelFailureKind, detail: string, options?: ErrorOptions) {
    super(`${MODEL_FAILURES[kind]}: ${detail}`, options);
    this.name = "ModelFailure";
    this.kind = kind;
  }
}

/** Whether a second attempt can succeed. */
export function isWorthRetrying(kind: ModelFailureKind): boolean {
  return ["cut-off", "truncated", "repetition", "empty", "refusal", "broken-json"].includes(kind);
}
