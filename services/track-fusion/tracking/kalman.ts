/**
 * Kalman filter with the (nearly) constant-velocity model: Bar-Shalom, Li and Kirubarajan,
 * "Estimation with Applications to Tracking and Navigation" (2001), sections 5.2 (filter) and 6.2.2
 * (continuous white noise acceleration).
 *
 * A sensor has the same standard deviation on each axis, and so has the model. Therefore the three
 * axes share one 2 x 2 covariance of position and velocity, and the filter needs no matrix library.
 */
import type { TacticalTrack, Vector3 } from "../../../lib/cms/messages.ts";
import { length, plus } from "../../../lib/cms/vector.ts";

/**
 * Power spectral density of the acceleration, m²/s³, on each axis. The hardest turn of a target
 * (600 m/s at 20 km: 18 m/s²) needs 10 or more; between 10 and 300 the error of the usual sensors
 * changes by less than 5 %.
 */
export const PROCESS_NOISE = 30;
/** Standard deviation of an unmeasured velocity, m/s on each axis: 600 m/s is 1.5 of them. */
const UNKNOWN_SPEED_SIGMA_MPS = 400;

/** One sensor's measurement of one target at one time. */
export interface Measurement {
  readonly sensorId: string;
  /** Time of observation, Unix milliseconds. */
  readonly timeMs: number;
  readonly position: Vector3;
  /** Standard deviation on each axis, metres. */
  readonly positionSigmaM: number;
  /** Undefined when the sensor does not measure it. */
  readonly velocity: Vector3 | undefined;
  readonly velocitySigmaMps: number;
  readonly classification: TacticalTrack["classification"];
}

/** A target's state at a time; the covariance applies to each axis. */
export interface Estimate {
  readonly timeMs: number;
  readonly position: Vector3;
  readonly velocity: Vector3;
  /** Variance of the position, m². */
  readonly pp: number;
  /** Covariance of position and velocity, m²/s. */
  readonly pv: number;
  /** Variance of the velocity, m²/s². */
  readonly vv: number;
}

/** Distance of a measurement from an estimate, relative to the innovation's covariance. */
export interface Distance {
  /** Square of the Mahalanobis distance. */
  readonly squared: number;
  /** 6 when the velocity was measured, else 3. */
  readonly dof: 3 | 6;
  /** Logarithm of the determinant of the innovation's covariance, over all axes. */
  readonly logDet: number;
}

/** The state from one measurement alone. */
export function initiate(measurement: Measurement): Estimate {
  const { timeMs, position, velocity, positionSigmaM, velocitySigmaMps } = measurement;
  return {
    timeMs,
    position,
    velocity: velocity ?? { x: 0, y: 0, z: 0 },
    pp: positionSigmaM ** 2,
    pv: 0,
    vv: (velocity === undefined ? UNKNOWN_SPEED_SIGMA_MPS : velocitySigmaMps) ** 2,
  };
}

/** The state at another time, later or earlier; the uncertainty grows in both directions. */
export function predict(estimate: Estimate, timeMs: number): Estimate {
  const dt = (timeMs - estimate.timeMs) / 1000;
  if (dt === 0) return estimate;
  const noise = PROCESS_NOISE * Math.abs(dt);
  const { position, velocity, pp, pv, vv } = estimate;
  return {
    timeMs,
    position: plus(position, velocity, dt),
    velocity,
    pp: pp + 2 * dt * pv + dt * dt * vv + (noise * dt * dt) / 3,
    pv: pv + dt * vv + (noise * dt) / 2,
    vv: vv + noise,
  };
}

/** The distance of a measurement from the state predicted for its time. */
export function distanceOf(predicted: Estimate, measurement: Measurement): Distance {
  const s11 = predicted.pp + measurement.positionSigmaM ** 2;
  const dp = plus(measurement.position, predicted.position, -1);
  const pp = dot(dp, dp);
  if (measurement.velocity === undefined) {
    return { squared: pp / s11, dof: 3, logDet: 3 * Math.log(s11) };
  }
  const s22 = predicted.vv + measurement.velocitySigmaMps ** 2;
  const s12 = predicted.pv;
  const det = s11 * s22 - s12 * s12;
  const dv = plus(measurement.velocity, predicted.velocity, -1);
  const squared = (s22 * pp - 2 * s12 * dot(dp, dv) + s11 * dot(dv, dv)) / det;
  return { squared, dof: 6, logDet: 3 * Math.log(det) };
}

/** The predicted state, corrected by the measurement. */
export function update(predicted: Estimate, measurement: Measurement): Estimate {
  const { timeMs, position, velocity, pp, pv, vv } = predicted;
  const s11 = pp + measurement.positionSigmaM ** 2;
  const dp = plus(measurement.position, position, -1);
  if (measurement.velocity === undefined) {
    const [kp, kv] = [pp / s11, pv / s11];
    return {
      timeMs,
      position: plus(position, dp, kp),
      velocity: plus(velocity, dp, kv),
      pp: (1 - kp) * pp,
      pv: (1 - kp) * pv,
      vv: vv - kv * pv,
    };
  }
  const s22 = vv + measurement.velocitySigmaMps ** 2;
  const det = s11 * s22 - pv * pv;
  const dv = plus(measurement.velocity, velocity, -1);
  // The gain: the covariance times the inverse of the innovation's covariance.
  const kpp = (pp * s22 - pv * pv) / det;
  const kpv = (pv * s11 - pp * pv) / det;
  const kvp = (pv * s22 - vv * pv) / det;
  const kvv = (vv * s11 - pv * pv) / det;
  return {
    timeMs,
    position: plus(plus(position, dp, kpp), dv, kpv),
    velocity: plus(plus(velocity, dp, kvp), dv, kvv),
    pp: (1 - kpp) * pp - kpv * pv,
    pv: (1 - kpp) * pv - kpv * vv,
    vv: (1 - kvv) * vv - kvp * pv,
  };
}

export const speedOf = ({ velocity }: Estimate): number => length(velocity);

const dot = (a: Vector3, b: Vector3): number => a.x * b.x + a.y * b.y + a.z * b.z;
