/** Statistics over repeated examinations. Pure. */

/** A mean of values from 0 to 1 with its 95 % interval. */
export interface Estimate {
  readonly mean: number;
  readonly low: number;
  readonly high: number;
  /** Number of examinations. */
  readonly n: number;
  /**
   * Number of independent groups of examinations: scenarios, or incidents when there is one
   * scenario.
   */
  readonly clusters: number;
}

/** Two-sided 95 % quantile of the normal distribution. */
const Z = 1.959964;

export const meanOf = (values: readonly number[]): number =>
  values.reduce((sum, value) => sum + value, 0) / values.length;

/**
 * The Wilson score interval of a share; `n` may be an effective sample size. Source: Wilson,
 * Probable Inference (1927); Brown, Cai and DasGupta (2001) recommend it for small n.
 */
export function wilson(share: number, n: number): { readonly low: number; readonly high: number } {
  const centre = (share + Z ** 2 / (2 * n)) / (1 + Z ** 2 / n);
  const half =
    (Z / (1 + Z ** 2 / n)) * Math.sqrt((share * (1 - share)) / n + Z ** 2 / (4 * n ** 2));
  return { low: Math.max(0, centre - half), high: Math.min(1, centre + half) };
}

/**
 * Mean of the clusters' means, each cluster counting once, with its interval. With one value per
 * cluster the interval is Wilson's. Repeats within a cluster are not independent: the effective
 * sample size follows from the variance of the clusters' means, and lies between the number of
 * clusters and the number of values. When all clusters agree, there is no variance to estimate it
 * from, so each counts once: 8 of 8 is 68 to 100 %, whatever the number of repeats. Source: Korn
 * and Graubard, Confidence Intervals for Proportions with Small Expected Number of Positive Counts
 * (1998), with Wilson's interval instead of Clopper and Pearson's.
 */
export function estimateOf(clusters: readonly (readonly number[])[]): Estimate {
  const filled = clusters.filter(({ length }) => length > 0);
  // One cluster has no variance between clusters; its values are treated as independent.
  const groups = filled.length === 1 ? (filled[0] ?? []).map((value) => [value]) : filled;
  const n = groups.flat().length;
  if (n === 0) return { mean: Number.NaN, low: Number.NaN, high: Number.NaN, n: 0, clusters: 0 };
  const means = groups.map(meanOf);
  const mean = meanOf(means);
  const variance =
    means.reduce((sum, value) => sum + (value - mean) ** 2, 0) / Math.max(1, means.length - 1);
  const effective = variance === 0 ? 0 : (mean * (1 - mean) * means.length) / variance;
  const size = Math.min(n, Math.max(means.length, effective));
  return { mean, ...wilson(mean, size), n, clusters: means.length };
}

/** Result of two investigators on the incidents that both examined. */
export interface PairedTest {
  readonly shared: number;
  /** Number of incidents on which the first was better, and the second. */
  readonly first: number;
  readonly second: number;
  /** Two-sided p-value; not corrected for the number of comparisons. */
  readonly p: number;
}

/**
 * The exact sign test over shared incidents (McNemar's exact test when each value is 0 or 1). Ties
 * are ignored. Null when no incident is shared.
 */
export function pairedTest(
  first: ReadonlyMap<string, number>,
  second: ReadonlyMap<string, number>,
): PairedTest | null {
  const differences = [...first].flatMap(([incident, value]) => {
    const other = second.get(incident);
    return other === undefined ? [] : [value - other];
  });
  if (differences.length === 0) return null;
  const [better, worse] = [1, -1].map(
    (sign) => differences.filter((difference) => difference * sign > 1e-9).length,
  ) as [number, number];
  const p = Math.min(1, 2 * binomialTail(better + worse, Math.min(better, worse)));
  return { shared: differences.length, first: better, second: worse, p };
}

/** The probability of at most `k` heads in `n` throws of a fair coin. */
function binomialTail(n: number, k: number): number {
  let [chance, sum] = [0.5 ** n, 0];
  for (let i = 0; i <= k; i++) {
    sum += chance;
    chance *= (n - i) / (i + 1);
  }
  return sum;
}

/**
 * Product of (a - i) / (b - i) for i below k: the probability that k draws without replacement from
 * b are all among a.
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
