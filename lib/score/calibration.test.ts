import { describe, expect, test } from "bun:test";
import { baseRateBrier, brierOf, calibration, riskCoverage, type Stated } from "./calibration.ts";

const right = (confidence: number): Stated => ({ confidence, correct: true, names: true });
const wrong = (confidence: number): Stated => ({ confidence, correct: false, names: true });
const silent = (confidence: number): Stated => ({ confidence, correct: false, names: false });

describe("brierOf()", () => {
  test.each([
    ["right and certain", right(1), 0],
    ["right and half sure", right(0.5), 0.25],
    ["wrong and certain", wrong(1), 2],
    ["wrong and not sure at all", wrong(0), 1],
    ["naming nothing", silent(0), 1],
    ["naming nothing with certainty", silent(1), 1],
  ])("%s", (_, stated, brier) => {
    expect(brierOf(stated)).toBeCloseTo(brier);
  });

  test("stating the true chance is best", () => {
    const chance = 0.3;
    const expected = (confidence: number): number =>
      chance * brierOf(right(confidence)) + (1 - chance) * brierOf(wrong(confidence));
    const stated = Array.from({ length: 101 }, (_, i) => i / 100);
    expect(stated.toSorted((a, b) => expected(a) - expected(b))[0]).toBe(chance);
  });
});

test("the base rate knows only how often each diagnosis occurs", () => {
  expect(baseRateBrier(["a", "b", "c", "d"])).toBeCloseTo(0.75);
  expect(baseRateBrier(["a", "a", "b", "c"])).toBeCloseTo(1 - (0.25 + 0.0625 * 2));
  expect(baseRateBrier(["a", "a"])).toBe(0);
});

test("calibration() groups by confidence, the top bin closed", () => {
  expect(calibration([right(1), wrong(0.9), wrong(0.1)])).toEqual([
    { from: 0, to: 0.2, n: 1, confidence: 0.1, accuracy: 0 },
    { from: 0.8, to: 1, n: 2, confidence: 0.95, accuracy: 0.5 },
  ]);
});

describe("riskCoverage()", () => {
  test("goes from the surest answers to all of them", () => {
    const { points, area } = riskCoverage([right(0.9), wrong(0.5), right(0.7), wrong(0.2)]);
    expect(points).toEqual([
      { coverage: 0.25, risk: 0 },
      { coverage: 0.5, risk: 0 },
      { coverage: 0.75, risk: 1 / 3 },
      { coverage: 1, risk: 0.5 },
    ]);
    expect(area).toBeCloseTo((1 / 3 + 0.5) / 4);
  });

  test("answers of equal confidence enter together, in whatever order they stand", () => {
    const tied = [{ coverage: 1, risk: 0.5 }];
    expect(riskCoverage([right(0.5), wrong(0.5)]).points).toEqual(tied);
    expect(riskCoverage([wrong(0.5), right(0.5)]).points).toEqual(tied);
  });

  test("who abstains has a short curve and no smaller area", () => {
    const abstaining = riskCoverage([right(0.9), silent(0), silent(0), silent(0)]);
    const guessing = riskCoverage([right(0.9), wrong(0.1), wrong(0.1), right(0.1)]);
    expect(abstaining.points).toEqual([{ coverage: 0.25, risk: 0 }]);
    expect(abstaining.area).toBeGreaterThan(guessing.area);
    expect(riskCoverage([silent(0), silent(1)])).toEqual({ points: [], area: 1 });
  });
});
