import { describe, expect, test } from "bun:test";
import { createPrng } from "../../base/prng.ts";
import { SENSOR_IDS, SERVICES, TOPOLOGY } from "../../contract/topology.ts";
import { distance, length } from "../vector.ts";
import { plan } from "./cadence.ts";
import { scan, SENSOR_MODELS } from "./model.ts";
import { stateAt, TARGETS } from "../trajectory.ts";

describe("stateAt()", () => {
  test("depends on time alone: the same in every process, continuous, and on the circle", () => {
    for (const target of TARGETS) {
      const at = Date.UTC(2026, 10, 24, 12);
      const { position, velocity } = stateAt(target, at);
      expect(stateAt(target, at)).toEqual({ position, velocity });
      expect(Math.hypot(position.x, position.y)).toBeCloseTo(target.radiusM, 3);
      expect(length(velocity)).toBeCloseTo(target.speedMps, 6);
      const moved = distance(position, stateAt(target, at + 1000).position);
      expect(moved).toBeCloseTo(target.speedMps, -1);
    }
  });

  test("keeps any two targets further apart than any sensor errs", () => {
    const at = Date.UTC(2026, 0, 1);
    for (let second = 0; second < 3600; second += 5) {
      const [a, b, c] = TARGETS.map((target) => stateAt(target, at + second * 1000).position);
      if (a === undefined || b === undefined || c === undefined) throw new Error("three targets");
      const closest = Math.min(distance(a, b), distance(b, c), distance(a, c));
      expect(closest).toBeGreaterThan(20 * SENSOR_MODELS["ESM-2"].positionSigmaM);
    }
  });
});

describe("scan()", () => {
  test.each([...SENSOR_IDS])("%s detects and errs as its model says", (id) => {
    const model = SENSOR_MODELS[id];
    const prng = createPrng(1);
    let [detected, squares] = [0, 0];
    const scans = 4000;
    for (let i = 0; i < scans; i++) {
      const { detections, undetected } = scan(model, i * 100, prng);
      expect(detections.length + undetected).toBe(3);
      detected += detections.length;
      for (const { position, source_track_id, classification } of detections) {
        const target = TARGETS[Number(source_track_id.split(":")[1]) - 1];
        if (target === undefined) throw new Error("a target");
        squares += (position.x - stateAt(target, i * 100).position.x) ** 2;
        expect(classification).toBe(model.classifies ? target.classification : "UNKNOWN");
      }
    }
    expect(detected / (scans * 3)).toBeCloseTo(model.detectionProbability, 1);
    expect(Math.sqrt(squares / detected) / model.positionSigmaM).toBeCloseTo(1, 1);
  });

  test("all sensors together write about 45 source tracks a second", () => {
    const rates = SENSOR_IDS.map((id) => SENSOR_MODELS[id]).map(
      ({ rateHz, detectionProbability }) => rateHz * detectionProbability * 3,
    );
    const total = rates.reduce((sum, rate) => sum + rate, 0);
    expect(total).toBeGreaterThan(43);
    expect(total).toBeLessThan(48);
  });
});

test("the topology knows each sensor's nominal rate: one source track for each target and scan", () => {
  const nominal = SERVICES.map((name) => TOPOLOGY[name]).filter(({ sensorId }) => sensorId);
  for (const { sensorId, nominalRateHz } of nominal) {
    if (sensorId === undefined) throw new Error("a sensor has an id");
    expect(nominalRateHz).toBe(SENSOR_MODELS[sensorId].rateHz * TARGETS.length);
  }
  expect(nominal).toHaveLength(SENSOR_IDS.length);
});

describe("plan()", () => {
  test("a loop that is in time does not drift", () => {
    expect(plan(0, 100, 3, 300)).toEqual({ nextMs: 400, lateMs: 0, skipped: 0 });
    expect(plan(0, 100, 3, 350)).toEqual({ nextMs: 400, lateMs: 50, skipped: 0 });
  });

  test("a loop that is more than a period late leaves scans out instead of bunching them", () => {
    expect(plan(0, 100, 3, 560)).toEqual({ nextMs: 600, lateMs: 260, skipped: 2 });
  });
});
