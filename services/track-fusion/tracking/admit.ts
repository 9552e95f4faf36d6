/** Decides which source tracks fusion accepts, and converts them into measurements. */
import type { SourceTrack } from "../../../lib/cms/messages.ts";
import { velocitySigmaOf } from "../../../lib/cms/sensor/model.ts";
import { isFinite3 } from "../../../lib/cms/vector.ts";
import type { Measurement } from "./kalman.ts";

/** Reasons for refusing a source track. */
export const REFUSALS = [
  "unknown_sensor",
  "not_finite",
  "not_positive",
  "in_the_future",
  "too_old",
] as const;
export type Refusal = (typeof REFUSALS)[number];

/** Maximum difference between the clocks of two machines. */
const MAX_AHEAD_MS = 1000;

export interface Rules {
  isSensor(id: string): boolean;
  isTooOld(timeMs: number): boolean;
  readonly nowMs: number;
}

/** The part of a source track that the tracker uses. */
export type Observed = Pick<
  SourceTrack,
  "sensor_id" | "position" | "velocity" | "classification" | "position_sigma_m" | "observed_unix_ms"
>;

/** Returns the measurement of a source track, or the reason for refusing it. */
export function admit(source: Observed, rules: Rules): Measurement | Refusal {
  const { sensor_id: sensorId, position, velocity, classification } = source;
  const { position_sigma_m: positionSigmaM, observed_unix_ms: timeMs } = source;
  if (!rules.isSensor(sensorId)) return "unknown_sensor";
  const isFinite = isFinite3(position) && isFinite3(velocity) && Number.isFinite(timeMs);
  if (!isFinite || !Number.isFinite(positionSigmaM)) return "not_finite";
  if (!(positionSigmaM > 0)) return "not_positive";
  if (timeMs > rules.nowMs + MAX_AHEAD_MS) return "in_the_future";
  if (rules.isTooOld(timeMs)) return "too_old";
  // A sensor that does not measure velocity sends zeros; a noisy measurement is never exactly zero.
  const isMeasured = velocity.x !== 0 || velocity.y !== 0 || velocity.z !== 0;
  return {
    sensorId,
    timeMs,
    position,
    positionSigmaM,
    velocity: isMeasured ? velocity : undefined,
    velocitySigmaMps: velocitySigmaOf(sensorId, positionSigmaM),
    classification,
  };
}
