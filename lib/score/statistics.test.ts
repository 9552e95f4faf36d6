import { describe, expect, test } from "bun:test";
import { calibration, clusteredMean, passAtK, passHatK } from "./statistics.ts";

describe("clusteredMean()", () => {
  test("is the mean of the clusters' means with t(G - 1)", () => {
    const clusters = new Map([
      ["a", [1, 1]],
      ["b", [0, 0]],
      ["c", [0.5, 0.5]],
    ]);
    const { mean, low, high, n } = clusteredMean(clusters);
    // Means 1, 0 and 0.5: standard deviation 0.5, standard error 0.2887, t(2) = 4.303.
    expect(mean).toBeCloseTo(0.5);
    expect(high - mean).toBeCloseTo(4.303 * 0.288675, 3);
    expect(mean - low).toBeCloseTo(4.303 * 0.288675, 3);
    expect(n).toBe(6);
  });

  test("repeats of one scenario make no interval narrower", () => {
    const once = clusteredMean(
      new Map([
        ["a", [1]],
        ["b", [0]],
      ]),
    );
    const often = clusteredMean(
      new Map([
        ["a", [1, 1, 1, 1]],
        ["b", [0, 0, 0, 0]],
      ]),
    );
    expect(often.high - often.low).toBeCloseTo(once.high - once.low);
  });

  test("one cluster spans what was seen, none is not a number", () => {
    expect(clusteredMean(new Map([["a", [0.2, 0.6]]]))).toMatchObject({ low: 0.2, high: 0.6 });
    expect(clusteredMean(new Map()).mean).toBeNaN();
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
