import { describe, expect, test } from "bun:test";
import { DEFAULT_FLEET } from "../contract/fleet.ts";
import { makeTargets, stateAt } from "./trajectory.ts";
import { distance, length } from "./vector.ts";

const AT_MS = Date.UTC(2026, 10, 24, 12);

describe("stateAt()", () => {
  test("depends on time alone: the same in every process, continuous, and on the circle", () => {
    for (const target of makeTargets(DEFAULT_FLEET)) {
      const { position, velocity } = stateAt(target, AT_MS);
      expect(stateAt(target, AT_MS)).toEqual({ position, velocity });
      expect(Math.hypot(position.x, position.y)).toBeCloseTo(target.radiusM, 3);
      expect(length(velocity)).toBeCloseTo(target.speedMps, 6);
      const moved = distance(position, stateAt(target, AT_MS + 1000).position);
      expect(moved).toBeCloseTo(target.speedMps, -1);
    }
  });
});

/** The shortest distance between any two targets within an hour, metres. */
function closest(fleet: Parameters<typeof makeTargets>[0], stepS: number): number {
  const targets = makeTargets(fleet);
  let least = Infinity;
  for (let second = 0; second < 3600; second += stepS) {
    const places = targets.map((target) => stateAt(target, AT_MS + second * 1000).position);
    for (const [i, a] of places.entries()) {
      for (const b of places.slice(i + 1)) least = Math.min(least, distance(a, b));
    }
  }
  return least;
}

describe("makeTargets()", () => {
  test("by default it is one missile and two aircraft, on circles of 20, 40 and 60 km", () => {
    expect(makeTargets(DEFAULT_FLEET)).toEqual([
      { classification: "MISSILE", radiusM: 20_000, altitudeM: 3_000, speedMps: 600, phase: 0 },
      { classification: "AIRCRAFT", radiusM: 40_000, altitudeM: 7_000, speedMps: 250, phase: 2 },
      { classification: "AIRCRAFT", radiusM: 60_000, altitudeM: 10_500, speedMps: 220, phase: 4 },
    ]);
  });

  test.each([1, 2, 3, 4, 36, 37, 100, 1000])("%d targets stay 20 km apart", (targets) => {
    const fleet = { ...DEFAULT_FLEET, targets, seed: targets };
    expect(makeTargets(fleet)).toHaveLength(targets);
    expect(closest(fleet, targets > 100 ? 900 : 30)).toBeGreaterThan(20_000 - 0.001);
  });

  test("they come closer when that is configured", () => {
    const fleet = { ...DEFAULT_FLEET, targets: 50, separationM: 2000 };
    expect(closest(fleet, 60)).toBeGreaterThan(2000 - 0.001);
    expect(closest(fleet, 60)).toBeLessThan(10_000);
  });

  test("a seed decides where on their circles they are", () => {
    const phases = (seed: number | undefined): number[] =>
      makeTargets({ ...DEFAULT_FLEET, seed }).map(({ phase }) => phase);
    expect(phases(1)).toEqual(phases(1));
    expect(phases(1)).not.toEqual(phases(2));
    expect(phases(1)).not.toEqual(phases(undefined));
  });
});
