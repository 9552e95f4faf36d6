/** What a sensor makes of the targets: which it detects, how far it errs, and what it can tell of them. */
import type { Prng } from "../../base/prng.ts";
import { sensorKindOf, type SensorKind } from "../../contract/topology.ts";
import type { SourceTrack, Vector3 } from "../messages.ts";
import { stateAt, type Target } from "../trajectory.ts";

export interface SensorModel {
  readonly sensorId: string;
  readonly sensorType: SourceTrack["sensor_type"];
  readonly rateHz: number;
  /** Standard deviation of a position, metres on each axis. */
  readonly positionSigmaM: number;
  readonly velocitySigmaMps: number;
  readonly detectionProbability: number;
  /** Whether it can tell what a target is. */
  readonly classifies: boolean;
}

/** What sensors of a type can do. Each instance of a type is the same. */
const BY_TYPE: Readonly<Record<SensorKind, Omit<SensorModel, "sensorId" | "sensorType">>> = {
  RADAR: {
    rateHz: 10,
    positionSigmaM: 50,
    velocitySigmaMps: 5,
    detectionProbability: 0.95,
    classifies: false,
  },
  ESM: {
    rateHz: 5,
    positionSigmaM: 800,
    velocitySigmaMps: 40,
    detectionProbability: 0.9,
    classifies: true,
  },
  EO: {
    rateHz: 2,
    positionSigmaM: 15,
    velocitySigmaMps: 3,
    detectionProbability: 0.7,
    classifies: false,
  },
};

/** The model of a sensor; its id begins with its type. */
export function modelOf(sensorId: string): SensorModel {
  const sensorType = sensorKindOf(sensorId);
  if (sensorType === undefined) throw new RangeError(`the id ${sensorId} names no type of sensor`);
  return { sensorId, sensorType, ...BY_TYPE[sensorType] };
}

/**
 * Standard deviation of the velocity that a sensor reports, m/s on each axis; messages do not carry it. For a sensor of
 * another kind it is a tenth of that of the position per second, within limits.
 */
export function velocitySigmaOf(sensorId: string, positionSigmaM: number): number {
  const sensorType = sensorKindOf(sensorId);
  if (sensorType !== undefined) return BY_TYPE[sensorType].velocitySigmaMps;
  return Math.min(100, Math.max(2, positionSigmaM / 10));
}

/** A source track before it has a sequence number and a trace. */
export type Detection = Omit<SourceTrack, "sequence_number" | "trace">;

/** One scan: the targets that were detected, and how many were not. */
export function scan(
  model: SensorModel,
  targets: readonly Target[],
  unixMs: number,
  prng: Prng,
): { readonly detections: readonly Detection[]; readonly undetected: number } {
  const detections: Detection[] = [];
  for (const [i, target] of targets.entries()) {
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
  return { detections, undetected: targets.length - detections.length };
}

const blurred = ({ x, y, z }: Vector3, sigma: number, prng: Prng): Vector3 => ({
  x: x + prng.gaussian() * sigma,
  y: y + prng.gaussian() * sigma,
  z: z + prng.gaussian() * sigma,
});
