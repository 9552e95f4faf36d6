/** What a sensor makes of the targets: which it detects, how far it errs, and what it can tell of them. */
import type { Prng } from "../../base/prng.ts";
import type { SensorId } from "../../contract/topology.ts";
import type { SourceTrack, Vector3 } from "../messages.ts";
import { stateAt, TARGETS } from "../trajectory.ts";

export interface SensorModel {
  readonly sensorId: SensorId;
  readonly sensorType: SourceTrack["sensor_type"];
  readonly rateHz: number;
  /** Standard deviation of a position, metres on each axis. */
  readonly positionSigmaM: number;
  readonly velocitySigmaMps: number;
  readonly detectionProbability: number;
  /** Whether it can tell what a target is. */
  readonly classifies: boolean;
}

export const SENSOR_MODELS: Readonly<Record<SensorId, SensorModel>> = {
  "RADAR-1": {
    sensorId: "RADAR-1",
    sensorType: "RADAR",
    rateHz: 10,
    positionSigmaM: 50,
    velocitySigmaMps: 5,
    detectionProbability: 0.95,
    classifies: false,
  },
  "ESM-2": {
    sensorId: "ESM-2",
    sensorType: "ESM",
    rateHz: 5,
    positionSigmaM: 800,
    velocitySigmaMps: 40,
    detectionProbability: 0.9,
    classifies: true,
  },
  "EO-3": {
    sensorId: "EO-3",
    sensorType: "EO",
    rateHz: 2,
    positionSigmaM: 15,
    velocitySigmaMps: 3,
    detectionProbability: 0.7,
    classifies: false,
  },
};

/** A source track before it has a sequence number and a trace. */
export type Detection = Omit<SourceTrack, "sequence_number" | "trace">;

/** One scan: the targets that were detected, and how many were not. */
export function scan(
  model: SensorModel,
  unixMs: number,
  prng: Prng,
): { readonly detections: readonly Detection[]; readonly undetected: number } {
  const detections: Detection[] = [];
  for (const [i, target] of TARGETS.entries()) {
    if (prng.next() >= model.detectionProbability) continue;
    const { position, velocity } = stateAt(target, unixMs);
    detections.push({
      sensor_id: model.sensorId,
      // The sensor's own number for what it follows.
      source_track_id: `${model.sensorId}:${i + 1}`,
      sensor_type: model.sensorType,
      position: blurred(position, model.positionSigmaM, prng),
      velocity: blurred(velocity, model.velocitySigmaMps, prng),
      classification: model.classifies ? target.classification : "UNKNOWN",
      position_sigma_m: model.positionSigmaM,
      observed_unix_ms: unixMs,
    });
  }
  return { detections, undetected: TARGETS.length - detections.length };
}

const blurred = ({ x, y, z }: Vector3, sigma: number, prng: Prng): Vector3 => ({
  x: x + prng.gaussian() * sigma,
  y: y + prng.gaussian() * sigma,
  z: z + prng.gaussian() * sigma,
});
