/** Answers the questions of an investigation: a model, or random choices. */
import type { Question } from "../model/client.ts";

export interface Chooser {
  /** Loads it; returns a line for the transcript. Throws ModelFailure when it cannot be used. */
  open(): Promise<string>;
  /** Answers with a value that fits the question's schema. Throws ModelFailure. */
  ask<T>(question: Question<T>): Promise<T>;
  /** How many tokens a user message may take beside `system` and the answer. */
  roomFor(system: string, maxTokens: number): number;
  /** Facts for the manifest. */
  details(): Promise<Record<string, unknown>>;
}
