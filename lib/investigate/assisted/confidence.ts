/**
 * Computes the confidence from the confirmed and refuted claims. The model's own statement has a
 * small weight: models state 90 % and more whatever they answer.
 */
import type { Verdict } from "../hypotheses/refute.ts";

export interface ConfidenceInput {
  /** The test of the diagnosis; undefined when refutation is switched off. */
  readonly verdict: Verdict | undefined;
  /** Tests of the other classes for the same service. */
  readonly rivals: readonly Verdict[];
  /** The model's own statement, 0 to 1. */
  readonly stated: number;
  /** Number of rounds. */
  readonly rounds: number;
  /** Number of citations that were removed. */
  readonly struck: number;
  /** Whether the state that the model named is possible for its fault class. */
  readonly consistent: boolean;
}

/** Limits of the confidence: metrics never make a diagnosis certain or impossible. */
const MIN_CONFIDENCE = 0.02;
const MAX_CONFIDENCE = 0.97;

/** Probability that service and class are both right, 0 to 1. */
export function computeConfidence(input: ConfidenceInput): number {
  const { verdict, rivals, stated, rounds, struck, consistent } = input;
  if (verdict === undefined) return clamp(stated);
  if (verdict.refuted) return clamp(0.05 + 0.05 * stated);
  const supported = shareSupported(verdict);
  // A class without a confirmed claim of its own is a guess that was not refuted.
  const evidence = verdict.specific ? 0.35 + 0.45 * verdict.coverage + 0.12 * supported : 0.2;
  const own = strength(verdict);
  const others = rivals.filter(({ refuted, specific }) => !refuted && specific).map(strength);
  const share = own / Math.max(own, own + others.reduce((sum, one) => sum + one, 0));
  const penalty = 0.04 * (rounds - 1) + 0.03 * struck + (consistent ? 0 : 0.05);
  return clamp((evidence * share - penalty) * (0.9 + 0.1 * stated));
}

const strength = ({ coverage, specific }: Verdict): number => coverage * (specific ? 1 : 0.3);

function shareSupported({ checks }: Verdict): number {
  const supporting = checks.filter(({ entailment }) => entailment.weight === "supports");
  if (supporting.length === 0) return 1;
  return supporting.filter(({ outcome }) => outcome === "confirmed").length / supporting.length;
}

const clamp = (value: number): number =>
  Math.round(Math.min(MAX_CONFIDENCE, Math.max(MIN_CONFIDENCE, value)) * 1000) / 1000;
