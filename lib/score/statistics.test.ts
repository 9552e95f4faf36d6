import { describe, expect, test } from "bun:test";
import { calibration, meanOfClusterMeans, passAtK, passHatK } from "./statistics.ts";

describe("meanOfClusterMeans()", () => {
  test("is the mean of the clusters' means with t(G - 1)", () => {
    const { mean, low, high, n } = meanOfClusterMeans([
      [1, 1],
      [0, 0],
      [0.5, 0.5],
    ]);
    // Means 1, 0 and 0.5: standard deviation 0.5, standard error 0.2887, t(2) = 4.303.
    expect(mean).toBeCloseTo(0.5);
    expect(high - mean).toBeCloseTo(4.303 * 0.288675, 3);
    expect(mean - low).toBeCloseTo(4.303 * 0.288675, 3);
    expect(n).toBe(6);
  });

  test("counts each cluster once, whatever its size", () => {
    expect(meanOfClusterMeans([[1, 1, 1, 1], [0]])).toMatchObject({ mean: 0.5, n: 5, clusters: 2 });
  });

  test("repeats of one scenario make no interval narrower", () => {
    const once = meanOfClusterMeans([[1], [0]]);
    const often = meanOfClusterMeans([
      [1, 1, 1, 1],
      [0, 0, 0, 0],
    ]);
    expect(often.high - often.low).toBeCloseTo(once.high - once.low);
  });

  test("one cluster spans what was seen, none is not a number", () => {
    expect(meanOfClusterMeans([[0.2, 0.6]])).toMatchObject({ low: 0.2, high: 0.6 });
    expect(meanOfClusterMeans([]).mean).toBeNaN();
  });
});

describe("pass@k and pass^k", () => {
  test.each([
    // right, n, k, at least one, all
    [5, 5, 1, 1, 1],
    [0, 5, 3, 0, 0],
    [2, 5, 1, 0.4, 0.4],
    [2, 5, 2, 0.7, 0.1],
    [3, 4, 2, 1, 0.5],
  ])("%d of %d right, %d drawn", (right, n, k, one, all) => {
    expect(passAtK(right, n, k)).toBeCloseTo(one);
    expect(passHatK(right, n, k)).toBeCloseTo(all);
  });

  test("more draws than runs cannot be estimated", () => {
    expect(passAtK(1, 2, 3)).toBeNaN();
    expect(passHatK(1, 2, 3)).toBeNaN();
  });
});

test("calibration() groups by confidence, the top bin closed", () => {
  const bins = calibration([
    { confidence: 1, correct: true },
    { confidence: 0.9, correct: false },
    { confidence: 0.1, correct: false },
  ]);
  expect(bins).toEqual([
    { from: 0, to: 0.2, n: 1, confidence: 0.1, accuracy: 0 },
    { from: 0.8, to: 1, n: 2, confidence: 0.95, accuracy: 0.5 },
  ]);
});
