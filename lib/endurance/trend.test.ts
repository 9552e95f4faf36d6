import { describe, expect, test } from "bun:test";
import { createPrng } from "../base/prng.ts";
import { figuresJson, figuresTable, passes } from "./figure.ts";
import { median } from "../base/figure.ts";
import { growthPerHour, settled } from "./trend.ts";

const HOUR_MS = 3_600_000;
const points = (values: readonly number[], everyMs = 60_000) =>
  values.map((value, i) => ({ atMs: i * everyMs, value }));

describe("growthPerHour()", () => {
  test("is the slope of a leak, whatever a collection does at the ends", () => {
    const leak = points(Array.from({ length: 121 }, (_, i) => 100 + i));
    expect(growthPerHour(leak)).toBeCloseTo(60);
    const disturbed = leak.map((point, i) => (i < 5 || i > 115 ? { ...point, value: 0 } : point));
    expect(growthPerHour(disturbed)).toBeCloseTo(60);
  });

  test("is close to zero for noise around a constant", () => {
    const prng = createPrng(1);
    const noise = points(
      Array.from({ length: 720 }, () => 500 + 5 * prng.gaussian()),
      10_000,
    );
    expect(Math.abs(growthPerHour(noise))).toBeLessThan(2);
  });

  test("is no number with fewer than two points, and then no figure passes", () => {
    const value = growthPerHour(points([1]));
    expect(value).toBeNaN();
    expect(passes({ name: "x", value, limit: 1, unit: "" })).toBe(false);
  });
});

test("settled() leaves out the first fifth", () => {
  const all = [0, 1, 2, 3, 4, 5].map((i) => ({ atMs: i * HOUR_MS, value: i }));
  expect(settled(all).map(({ value }) => value)).toEqual([1, 2, 3, 4, 5]);
});

test("median() of even and odd counts", () => {
  expect([median([3, 1, 2]), median([4, 1, 2, 3])]).toEqual([2, 2.5]);
});

test("a table and a document have every limit and verdict", () => {
  const figures = [
    { name: "growth", value: 2, limit: 1, unit: "MiB/h", note: "from 1 to 3" },
    { name: "tracks", value: 3, limit: 3, atLeast: true, unit: "" },
  ];
  expect(figuresTable(figures).split("\n")).toEqual([
    "figure  value  limit  unit   verdict  note",
    "growth  2      <= 1   MiB/h  FAILED   from 1 to 3",
    "tracks  3      >= 3          ok",
  ]);
  expect(JSON.parse(figuresJson(figures))).toMatchObject([{ ok: false }, { ok: true }]);
});
