/**
 * Models of the sensors: which targets they detect, the noise of their measurements, and whether
 * they classify.
 */
import type { Prng } from "../../base/prng.ts";
import { sensorKindOf, type SensorKind } from "../../contract/topology.ts";
import type { SourceTrack, Vector3 } from "../messages.ts";
import { stateAt, type Target } from "../trajectory.ts";

export interface SensorModel {
  readonly sensorId: string;
  readonly sensorType: SourceTrack["sensor_type"];
  readonly rateHz: number;
  /** Standard deviation of a position on each axis, metres. */
  readonly positionSigmaM: number;
  readonly velocitySigmaMps: number;
  readonly detectionProbability: number;
  /** Whether the sensor reports a target's class. */
  readonly classifies: boolean;
}

/** The properties of each type of sensor. All instances of a type are equal. */
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

/** Returns the model of a sensor; its id begins with its type. */
export function modelOf(sensorId: string): SensorModel {
  const sensorType = sensorKindOf(sensorId);
  if (sensorType === undefined) throw new RangeError(`the id ${sensorId} names no type of sensor`);
  return { sensorId, sensorType, ...BY_TYPE[sensorType] };
}

/**
 * Returns the standard deviation of the reported velocity on each axis, m/s; messages do not
 * contain it. For an unknown type, a tenth of the position's standard deviation per second, within
 * limits.
 */
export function velocitySigmaOf(sensorId: string, positionSigmaM: number): number {
  const sensorType = sensorKindOf(sensorId);
  if (sensorType !== undefined) return BY_TYPE[sensorType].velocitySigmaMps;
  return Math.min(100, Math.max(2, positionSigmaM / 10));
}

/** A source track before it has a sequence number and a trace. */
export type Detection = Omit<SourceTrack, "sequence_number" | "trace">;

/** One scan: the detected targets, and the number of undetected ones. */
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
      // The sensor's own number for a target.
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
