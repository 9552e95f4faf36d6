/** Compares stated confidence with correctness. Pure. */
import { meanOf } from "./statistics.ts";

/** The data of an examination that calibration uses. */
export interface Stated {
  readonly confidence: number;
  readonly correct: boolean;
  /** Whether the answer names a diagnosis: no failure and no abstention. */
  readonly names: boolean;
}

/**
 * The Brier score over all possible diagnoses: the stated confidence is assigned to the named one;
 * the rest is spread so thinly over the others that the true one gets none of it. 0 is right and
 * certain, 1 is no diagnosis, 2 is wrong and certain. So an answer without a diagnosis at
 * confidence 0 does not look well calibrated. Source: Brier, Verification of Forecasts (1950), in
 * its original form over all classes.
 */
export function brierOf({ confidence, correct, names }: Stated): number {
  return correct ? (1 - confidence) ** 2 : 1 + (names ? confidence ** 2 : 0);
}

/**
 * The Brier score of a forecast from the frequencies of diagnoses alone: 1 minus the sum of their
 * squares. `diagnoses` has one entry per scenario.
 */
export function baseRateBrier(diagnoses: readonly string[]): number {
  const counts = [...Map.groupBy(diagnoses, (name) => name).values()].map(({ length }) => length);
  return 1 - counts.reduce((sum, count) => sum + (count / diagnoses.length) ** 2, 0);
}

/** The answers with a stated confidence in one range. */
export interface CalibrationBin {
  readonly from: number;
  readonly to: number;
  readonly n: number;
  readonly confidence: number;
  readonly accuracy: number;
}

/** Groups answers into `bins` equal ranges of confidence; empty ranges are omitted. */
export function calibration(
  answers: readonly Pick<Stated, "confidence" | "correct">[],
  bins = 5,
): CalibrationBin[] {
  return Array.from({ length: bins }, (_, i) => {
    const [from, to] = [i / bins, (i + 1) / bins];
    const inside = answers.filter(
      ({ confidence }) =>
        confidence >= from && (confidence < to || (i === bins - 1 && confidence <= 1)),
    );
    return {
      from,
      to,
      n: inside.length,
      confidence: meanOf(inside.map(({ confidence }) => confidence)),
      accuracy: meanOf(inside.map(({ correct }) => Number(correct))),
    };
  }).filter(({ n }) => n > 0);
}

/**
 * Answers from the highest confidence down to some limit: their share of all examinations, and the
 * share of wrong ones among them.
 */
export interface RiskPoint {
  readonly coverage: number;
  readonly risk: number;
}

export interface RiskCoverage {
  readonly points: readonly RiskPoint[];
  /**
   * Area under the curve, from 0 (all right) to 1. Examinations without an answer count as wrong,
   * so that abstaining does not shorten the curve.
   */
  readonly area: number;
}

/** The risk–coverage curve. Answers of equal confidence are added together. */
export function riskCoverage(examinations: readonly Stated[]): RiskCoverage {
  const total = examinations.length;
  const levels = [
    ...Map.groupBy(
      examinations.filter(({ names }) => names),
      ({ confidence }) => confidence,
    ),
  ].toSorted(([a], [b]) => b - a);
  let [covered, wrong, area] = [0, 0, 0];
  const points: RiskPoint[] = [];
  for (const [, answers] of levels) {
    covered += answers.length;
    wrong += answers.filter(({ correct }) => !correct).length;
    points.push({ coverage: covered / total, risk: wrong / covered });
    area += (answers.length / total) * (wrong / covered);
  }
  for (let missing = covered + 1; missing <= total; missing++) {
    area += (wrong + missing - covered) / missing / total;
  }
  return { points, area: total === 0 ? Number.NaN : area };
}
