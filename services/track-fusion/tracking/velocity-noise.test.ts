import { expect, test } from "bun:test";
import { createPrng } from "../../../lib/base/prng.ts";
import type { Estimate } from "./kalman.ts";
import { measurementOf } from "./testing/measurement.ts";
import { VelocityNoise } from "./velocity-noise.ts";

const predicted: Estimate = {
  timeMs: 0,
  position: { x: 0, y: 0, z: 0 },
  velocity: { x: 200, y: 0, z: 0 },
  pp: 100,
  pv: 0,
  vv: 4,
};

/**
 * Adds measurements of a sensor that states 5 m/s and has an error of `sigma`; `alarms` percent are
 * false.
 */
function learn(
  sigma: number,
  count: number,
  alarms = 0,
): { noise: VelocityNoise; sigmaMps: number } {
  const prng = createPrng(8);
  const noise = new VelocityNoise();
  const draw = (): number => prng.gaussian() * Math.hypot(sigma, 2);
  const measurement = measurementOf();
  for (let i = 0; i < count; i++) {
    const velocity =
      i % 100 < alarms ? { x: -300, y: 200, z: 0 } : { x: 200 + draw(), y: draw(), z: draw() };
    noise.note({ ...measurement, velocity }, predicted);
  }
  return { noise, sigmaMps: noise.corrected(measurement).velocitySigmaMps };
}

test("knows nothing of a sensor before it has seen some of its velocities", () => {
  expect(learn(5, 14).noise.isKnown("RADAR-1")).toBe(false);
  expect(learn(5, 15).noise.isKnown("RADAR-1")).toBe(true);
  expect(learn(5, 15).noise.isKnown("RADAR-2")).toBe(false);
});

test("leaves the usual noise alone while the innovations agree with it", () => {
  expect(learn(5, 200).sigmaMps).toBe(5);
  expect(learn(5.5, 200).sigmaMps).toBe(5);
});

test.each([15, 50])("finds that velocities err by %d m/s, false alarms or not", (sigma) => {
  expect(learn(sigma, 200).sigmaMps / sigma).toBeCloseTo(1, 0);
  expect(Math.abs(learn(sigma, 200, 10).sigmaMps / sigma - 1)).toBeLessThan(0.35);
});

test("does not believe in velocities without error", () => {
  expect(learn(0, 200).sigmaMps).toBeGreaterThanOrEqual(1.25);
});

test("a track that does not know its velocity says nothing of the sensor's", () => {
  const noise = new VelocityNoise();
  const vague = { ...predicted, vv: 160_000 };
  const measurement = measurementOf();
  for (let i = 0; i < 100; i++) noise.note(measurement, vague);
  expect(noise.isKnown("RADAR-1")).toBe(false);
});
