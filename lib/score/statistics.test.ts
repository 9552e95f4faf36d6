import { describe, expect, test } from "bun:test";
import { estimateOf, pairedTest, passAtK, passHatK, wilson } from "./statistics.ts";

const percent = ({ low, high }: { low: number; high: number }): string =>
  `${Math.round(low * 100)}–${Math.round(high * 100)}`;
const times = (value: number, n: number): number[] => Array.from({ length: n }, () => value);

describe("estimateOf()", () => {
  test.each([
    [8, 8, "68–100"],
    [0, 8, "0–32"],
    [4, 8, "22–78"],
    [1, 1, "21–100"],
  ])("%d of %d, one value per scenario, is %s %%", (right, n, interval) => {
    const values = [...times(1, right), ...times(0, n - right)].map((value) => [value]);
    const estimate = estimateOf(values);
    expect(estimate).toMatchObject({ mean: right / n, n, clusters: n });
    expect(percent(estimate)).toBe(interval);
    expect(percent(wilson(right / n, n))).toBe(interval);
  });

  test("repeats of scenarios that agree make the interval no narrower", () => {
    const once = estimateOf(times(1, 8).map((value) => [value]));
    const often = estimateOf(times(1, 8).map((value) => times(value, 5)));
    expect(percent(often)).toBe(percent(once));
    const mixed = (n: number) => estimateOf([times(1, n), times(0, n), times(1, n), times(0, n)]);
    expect(mixed(5).low).toBeCloseTo(mixed(1).low);
  });

  test("repeats that vary within the scenarios are nearly independent", () => {
    const half = estimateOf(times(0, 8).map(() => [0, 1, 0, 1]));
    expect(half).toMatchObject({ mean: 0.5, n: 32, clusters: 8 });
    const rising = estimateOf([
      [0, 0, 1, 1],
      [0, 1, 1, 1],
      [0, 0, 0, 1],
      [0, 1, 0, 1],
    ]);
    expect(rising.high - rising.low).toBeCloseTo(wilson(0.5, 16).high - wilson(0.5, 16).low);
  });

  test("counts each cluster once, whatever its size", () => {
    expect(estimateOf([times(1, 4), [0]])).toMatchObject({ mean: 0.5, n: 5, clusters: 2 });
  });

  test("the runs of one scenario count as independent, and none is not a number", () => {
    expect(percent(estimateOf([times(1, 8)]))).toBe("68–100");
    expect(estimateOf([]).mean).toBeNaN();
  });
});

describe("pairedTest()", () => {
  const of = (...values: number[]) => new Map(values.map((value, i) => [`incident ${i}`, value]));

  test("is McNemar's exact test over the shared incidents", () => {
    const result = pairedTest(of(1, 1, 1, 1, 1, 1, 0), of(0, 0, 0, 0, 0, 0, 1));
    // Seven differences, one with the other sign: 2 (1 + 7) / 128.
    expect(result).toMatchObject({ shared: 7, first: 6, second: 1 });
    expect(result?.p).toBeCloseTo(0.125);
  });

  test("ties tell nothing, and what is not shared does not count", () => {
    expect(pairedTest(of(1, 1, 0), of(1, 1, 0, 1))).toEqual({
      shared: 3,
      first: 0,
      second: 0,
      p: 1,
    });
    expect(pairedTest(of(1), new Map([["another", 0]]))).toBeNull();
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
