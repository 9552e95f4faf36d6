import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { assign, clusters, type Pair, solve } from "./assignment.ts";

const pairs = (rows: readonly (readonly number[])[]): Pair[] =>
  rows.flatMap((row, measurement) =>
    row.flatMap((cost, track) => (Number.isFinite(cost) ? [{ measurement, track, cost }] : [])),
  );

/** The least cost of all assignments, by exhaustive search. */
function cheapest(
  rows: readonly (readonly number[])[],
  unassigned: number,
  used = new Set<number>(),
): number {
  const [row, ...rest] = rows;
  if (row === undefined) return 0;
  let best = unassigned + cheapest(rest, unassigned, used);
  for (const [track, cost] of row.entries()) {
    if (used.has(track) || !Number.isFinite(cost)) continue;
    best = Math.min(best, cost + cheapest(rest, unassigned, new Set([...used, track])));
  }
  return best;
}

describe("assign()", () => {
  test("takes the least total cost, where the nearest neighbour alone would be wrong", () => {
    // Measurement 0 is nearest to track 0, but then measurement 1 would get a distant track.
    const chosen = assign(
      pairs([
        [1, 2],
        [1.5, 20],
      ]),
      100,
    );
    expect([chosen.get(0), chosen.get(1)]).toEqual([1, 0]);
  });

  test("leaves a measurement over when that is cheaper, and when its track is taken", () => {
    expect(assign(pairs([[50]]), 40).size).toBe(0);
    expect([...assign(pairs([[3], [1]]), 40)]).toEqual([[0, 1]]);
    expect(assign([], 40).size).toBe(0);
  });

  test("is as cheap as the best of all assignments", () => {
    const cost = fc.oneof(
      { weight: 3, arbitrary: fc.double({ min: 0, max: 60, noNaN: true }) },
      { weight: 1, arbitrary: fc.constant(Number.POSITIVE_INFINITY) },
    );
    const matrix = fc
      .tuple(fc.integer({ min: 1, max: 5 }), fc.integer({ min: 1, max: 5 }))
      .chain(([rows, columns]) =>
        fc.array(fc.array(cost, { minLength: columns, maxLength: columns }), {
          minLength: rows,
          maxLength: rows,
        }),
      );
    fc.assert(
      fc.property(matrix, (rows) => {
        const chosen = assign(pairs(rows), 40);
        const measurements = [...chosen.values()];
        expect(new Set(measurements).size).toBe(measurements.length);
        const total =
          [...chosen].reduce((sum, [track, i]) => sum + (rows[i]?.[track] ?? Infinity), 0) +
          40 * (rows.length - chosen.size);
        expect(total).toBeCloseTo(cheapest(rows, 40), 6);
      }),
      { numRuns: 300, seed: 1 },
    );
  });
});

test("clusters() keeps together what shares a measurement or a track", () => {
  const pair = (measurement: number, track: number): Pair => ({ measurement, track, cost: 1 });
  const found = clusters([pair(0, 0), pair(1, 1), pair(2, 1), pair(2, 0), pair(3, 7)]);
  expect(found.map((cluster) => cluster.length).toSorted((a, b) => a - b)).toEqual([1, 4]);
});

test("solve() finds the known optimum of a rectangular matrix", () => {
  const costs = [
    [7, 2, 1, 9, 4],
    [9, 6, 9, 5, 5],
    [3, 8, 3, 1, 8],
  ].map((row) => Float64Array.from(row));
  expect([...solve(costs)]).toEqual([2, 4, 3]);
});
