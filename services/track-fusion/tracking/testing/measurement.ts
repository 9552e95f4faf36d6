/** A measurement for tests: a sensor with 50 m and 5 m/s, a target at rest in the origin. */
import type { Measurement } from "../kalman.ts";

export const measurementOf = (fields: Partial<Measurement> = {}): Measurement => ({
  sensorId: "RADAR-1",
  timeMs: 0,
  position: { x: 0, y: 0, z: 0 },
  positionSigmaM: 50,
  velocity: { x: 0, y: 0, z: 0 },
  velocitySigmaMps: 5,
  classification: "UNKNOWN",
  ...fields,
});
