import { describe, expect, test } from "bun:test";
import { createPrng } from "../../base/prng.ts";
import { DEFAULT_FLEET } from "../../contract/fleet.ts";
import { SENSOR_IDS, SERVICES, TOPOLOGY } from "../../contract/topology.ts";
import { plan } from "./cadence.ts";
import { modelOf, scan, velocitySigmaOf } from "./model.ts";
import { makeTargets, stateAt } from "../trajectory.ts";

const TARGETS = makeTargets(DEFAULT_FLEET);

describe("scan()", () => {
  test.each([...SENSOR_IDS])("%s detects and errs as its model says", (id) => {
    const model = modelOf(id);
    const prng = createPrng(1);
    let [detected, squares] = [0, 0];
    const scans = 4000;
    for (let i = 0; i < scans; i++) {
      const { detections, undetected } = scan(model, TARGETS, i * 100, prng);
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
    const rates = SENSOR_IDS.map(modelOf).map(
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
    expect(nominalRateHz).toBe(modelOf(sensorId).rateHz * TARGETS.length);
  }
  expect(nominal).toHaveLength(SENSOR_IDS.length);
});

test("a sensor's id begins with its kind, which decides what it can do", () => {
  expect(modelOf("RADAR-17")).toEqual({ ...modelOf("RADAR-1"), sensorId: "RADAR-17" });
  expect(() => modelOf("LIDAR-1")).toThrow("LIDAR-1 names no type of sensor");
  expect(velocitySigmaOf("EO-9", 15)).toBe(3);
  expect(velocitySigmaOf("somebody's", 300)).toBe(30);
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
