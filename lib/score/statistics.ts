/** Statistics over repeated runs. Pure. */

/** A mean with its interval; `n` counts runs, `clusters` counts scenarios. */
export interface Estimate {
  readonly mean: number;
  readonly low: number;
  readonly high: number;
  readonly n: number;
  readonly clusters: number;
}

/**
 * Two-sided 95 % quantiles of Student's t by degrees of freedom; beyond the table, that of the
 * normal distribution.
 */
const T_975 = [
  12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228, 2.201, 2.179, 2.16, 2.145,
  2.131, 2.12, 2.11, 2.101, 2.093, 2.086,
] as const;

const mean = (values: readonly number[]): number =>
  values.reduce((sum, value) => sum + value, 0) / values.length;

/**
 * Mean of the clusters' means, each cluster counting once whatever its size, with a 95 % interval.
 * Repeats of one scenario are not independent, so the interval follows from how the scenarios'
 * means vary. With one cluster it has no such basis and spans the smallest to the largest value.
 * Source: Cameron and Miller, A Practitioner's Guide to Cluster-Robust Inference (2015): cluster
 * means with t(G - 1).
 */
export function meanOfClusterMeans(clusters: readonly (readonly number[])[]): Estimate {
  const filled = clusters.filter(({ length }) => length > 0);
  const all = filled.flat();
  const n = all.length;
  if (n === 0) return { mean: Number.NaN, low: Number.NaN, high: Number.NaN, n: 0, clusters: 0 };
  const means = filled.map(mean);
  const centre = mean(means);
  if (means.length === 1) {
    return { mean: centre, low: Math.min(...all), high: Math.max(...all), n, clusters: 1 };
  }
  const variance =
    means.reduce((sum, value) => sum + (value - centre) ** 2, 0) / (means.length - 1);
  const t = T_975[means.length - 2] ?? 1.96;
  const half = t * Math.sqrt(variance / means.length);
  return { mean: centre, low: centre - half, high: centre + half, n, clusters: means.length };
}

/**
 * Product of (a - i) / (b - i) for i below k: the probability that k draws without replacement from
 * b all hit the a.
 */
function allDrawn(a: number, b: number, k: number): number {
  let chance = 1;
  for (let i = 0; i < k; i++) chance *= Math.max(0, a - i) / (b - i);
  return chance;
}

/**
 * Probability that at least one of k runs is right, estimated without bias from `right` of `n`
 * runs; NaN when k > n. Source: Chen et al., Evaluating Large Language Models Trained on Code
 * (2021), pass@k.
 */
export function passAtK(right: number, n: number, k: number): number {
  return k > n ? Number.NaN : 1 - allDrawn(n - right, n, k);
}

/**
 * Probability that all of k runs are right; NaN when k > n. Source: Yao et al., tau-bench (2024),
 * pass^k.
 */
export function passHatK(right: number, n: number, k: number): number {
  return k > n ? Number.NaN : allDrawn(right, n, k);
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
  answers: readonly { readonly confidence: number; readonly correct: boolean }[],
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
      confidence: mean(inside.map(({ confidence }) => confidence)),
      accuracy: mean(inside.map(({ correct }) => (correct ? 1 : 0))),
    };
  }).filter(({ n }) => n > 0);
}
