/** The small parts of the tracker: admission, gate, spatial index, scans, contributors. */
import { describe, expect, test } from "bun:test";
import { createPrng } from "../../../lib/base/prng.ts";
import { METRICS } from "../../../lib/contract/telemetry.ts";
import { admit, type Observed, REFUSALS } from "./admit.ts";
import { CONTRIBUTOR_WINDOW_MS, Contributors } from "./contributors.ts";
import { GATE, gatedCost, NO_BOUNDS, reachOf, widened } from "./gate.ts";
import { Grid } from "./grid.ts";
import { initiate } from "./kalman.ts";
import { MAX_WAIT_MS, Scans } from "./scans.ts";
import { measurementOf } from "./testing/measurement.ts";

describe("admit()", () => {
  const source: Observed = {
    sensor_id: "RADAR-1",
    position: { x: 1, y: 2, z: 3 },
    velocity: { x: 4, y: 5, z: 6 },
    classification: "MISSILE",
    position_sigma_m: 50,
    observed_unix_ms: 10_000,
  };
  const rules = {
    isSensor: (id: string) => id === "RADAR-1",
    isTooOld: (timeMs: number) => timeMs < 5000,
    nowMs: 10_000,
  };

  test("makes a measurement of what is sound", () => {
    expect(admit(source, rules)).toEqual({
      sensorId: "RADAR-1",
      timeMs: 10_000,
      position: { x: 1, y: 2, z: 3 },
      positionSigmaM: 50,
      velocity: { x: 4, y: 5, z: 6 },
      velocitySigmaMps: 5,
      classification: "MISSILE",
    });
    const still = admit({ ...source, velocity: { x: 0, y: 0, z: 0 } }, rules);
    expect(still).toMatchObject({ velocity: undefined });
  });

  test.each([
    [{ sensor_id: "RADAR-2" }, "unknown_sensor"],
    [{ position: { x: Number.NaN, y: 0, z: 0 } }, "not_finite"],
    [{ velocity: { x: 0, y: Number.NaN, z: 0 } }, "not_finite"],
    [{ velocity: { x: 0, y: Number.POSITIVE_INFINITY, z: 0 } }, "not_finite"],
    [{ observed_unix_ms: Number.NaN }, "not_finite"],
    [{ position_sigma_m: Number.NaN }, "not_finite"],
    [{ position_sigma_m: 0 }, "not_positive"],
    [{ position_sigma_m: -50 }, "not_positive"],
    [{ observed_unix_ms: 11_001 }, "in_the_future"],
    [{ observed_unix_ms: 4999 }, "too_old"],
  ] as const)("refuses %p as %s", (fields, reason) => {
    expect(admit({ ...source, ...fields }, rules)).toBe(reason);
  });

  test("every reason is a declared value of the metric that counts it", () => {
    expect([...REFUSALS]).toEqual([...METRICS.cms_fusion_refused_total.labels.reason]);
  });
});

describe("the gate", () => {
  const state = initiate(measurementOf());

  test("lies at the quantile: just inside is a candidate, just outside is not", () => {
    // The innovation's standard deviation is 50 * sqrt(2) on an axis.
    const limit = Math.sqrt(GATE[6]) * 50 * Math.SQRT2;
    const at = (x: number) => gatedCost(state, measurementOf({ position: { x, y: 0, z: 0 } }));
    expect(at(limit - 0.01)).toBeNumber();
    expect(at(limit + 0.01)).toBeUndefined();
  });

  test("is narrower without a velocity: three degrees of freedom", () => {
    const limit = Math.sqrt(GATE[3]) * 50 * Math.SQRT2;
    const at = (x: number) =>
      gatedCost(state, measurementOf({ position: { x, y: 0, z: 0 }, velocity: undefined }));
    expect(at(limit - 0.01)).toBeNumber();
    expect(at(limit + 0.01)).toBeUndefined();
  });

  test("an uncertain track does not win against a certain one at the same distance", () => {
    const vague = { ...state, pp: 1e6 };
    const seen = measurementOf({ position: { x: 20, y: 0, z: 0 } });
    expect(gatedCost(vague, seen) ?? 0).toBeGreaterThan(gatedCost(state, seen) ?? Infinity);
  });

  test("its reach covers where a track may have gone", () => {
    expect(reachOf(NO_BOUNDS, 0, 50)).toBe(0);
    const moving = initiate(measurementOf({ velocity: { x: 300, y: 400, z: 0 } }));
    const bounds = widened(NO_BOUNDS, moving);
    const reach = reachOf(bounds, 2000, 50);
    expect(reach).toBeGreaterThan(1000 + Math.sqrt(GATE[6]) * 50 * Math.SQRT2);
    expect(reach).toBeLessThan(2000);
  });
});

describe("Grid", () => {
  test("finds everything within the radius, wherever it was moved to", () => {
    const prng = createPrng(2);
    const grid = new Grid<number>();
    const places = Array.from({ length: 200 }, () => ({ x: 0, y: 0 }));
    for (let round = 0; round < 3; round++) {
      for (const [i, place] of places.entries()) {
        place.x = (prng.next() - 0.5) * 200_000;
        place.y = (prng.next() - 0.5) * 200_000;
        grid.put(i, place.x, place.y);
      }
    }
    grid.remove(7);
    expect(grid.size).toBe(199);
    for (const radius of [10, 5000, 30_000, 1e9]) {
      const found = new Set<number>();
      grid.near(1000, -2000, radius, (thing) => found.add(thing));
      for (const [i, { x, y }] of places.entries()) {
        const isNear = Math.hypot(x - 1000, y + 2000) <= radius && i !== 7;
        if (isNear) expect(found.has(i)).toBe(true);
      }
      expect(found.has(7)).toBe(false);
      if (radius === 10) expect(found.size).toBeLessThan(20);
    }
  });
});

describe("Scans", () => {
  test("gives a scan out when its sensor's next one begins", () => {
    const scans = new Scans<string>();
    expect(scans.add(measurementOf({ timeMs: 0 }), "a", 0)).toBeUndefined();
    expect(scans.add(measurementOf({ timeMs: 0, sensorId: "EO-3" }), "b", 1)).toBeUndefined();
    expect(scans.add(measurementOf({ timeMs: 0 }), "c", 2)).toBeUndefined();
    expect(scans.waiting).toBe(3);
    expect(scans.add(measurementOf({ timeMs: 100 }), "d", 3)?.items).toEqual(["a", "c"]);
    expect(scans.waiting).toBe(2);
  });

  test("gives a scan out when it has waited long enough, the oldest first", () => {
    const scans = new Scans<string>();
    scans.add(measurementOf({ sensorId: "EO-3" }), "a", 0);
    scans.add(measurementOf(), "b", 1);
    expect(scans.due(MAX_WAIT_MS - 0.1)).toEqual([]);
    expect(scans.due(MAX_WAIT_MS + 1).map(({ items }) => items)).toEqual([["a"], ["b"]]);
    expect(scans.waiting).toBe(0);
  });
});

describe("Contributors", () => {
  test("tells who joined and who left, once", () => {
    const contributors = new Contributors();
    contributors.see("RADAR-1", 0);
    contributors.see("EO-3", 0);
    expect(contributors.change(0)).toEqual({ added: ["EO-3", "RADAR-1"], removed: [] });
    expect(contributors.change(CONTRIBUTOR_WINDOW_MS)).toBeUndefined();
    contributors.see("EO-3", 1000);
    expect(contributors.change(CONTRIBUTOR_WINDOW_MS + 1)).toEqual({
      added: [],
      removed: ["RADAR-1"],
    });
    expect(contributors.now).toEqual(["EO-3"]);
  });

  test("an observation out of sequence does not make a sensor look silent", () => {
    const contributors = new Contributors();
    contributors.see("RADAR-1", 5000);
    contributors.see("RADAR-1", 1000);
    contributors.change(5000);
    expect(contributors.change(CONTRIBUTOR_WINDOW_MS + 2000)).toBeUndefined();
  });
});
