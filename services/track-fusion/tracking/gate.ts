/**
 * Decides which measurements may belong to which track, and at what cost. Blackman and Popoli
 * (1999), section 6.3.
 */
import { distance } from "../../../lib/cms/vector.ts";
import { distanceOf, type Estimate, type Measurement, predict, speedOf } from "./kalman.ts";

/**
 * 99.99 % quantiles of the chi-square distribution, by degrees of freedom: one measurement in
 * 10,000 is lost.
 */
export const GATE = { 3: 21.11, 6: 27.86 } as const;
/**
 * Cost of a measurement without a track: higher than that of nearly every pair within the gate, so
 * that a measurement stays without a track only when two compete for the same one.
 */
export const UNASSIGNED_COST = GATE[6] + 12;

/**
 * Returns the cost of a pair; undefined outside of the gate. Adds to the squared distance the
 * logarithm of the ratio of the gate's size to the measurement's covariance, so that an uncertain
 * track has no advantage.
 */
export function gatedCost(predicted: Estimate, measurement: Measurement): number | undefined {
  const { squared, dof, logDet } = distanceOf(predicted, measurement);
  if (squared > GATE[dof]) return undefined;
  const { positionSigmaM, velocitySigmaMps } = measurement;
  const own = dof === 6 ? positionSigmaM * velocitySigmaMps : positionSigmaM;
  return squared + logDet - 6 * Math.log(own);
}

/** Squared distance of the positions only. */
export function positionDistance(predicted: Estimate, measurement: Measurement): number {
  const apart = distance(predicted.position, measurement.position);
  return apart ** 2 / (predicted.pp + measurement.positionSigmaM ** 2);
}

/**
 * Properties of all tracks that bound the distance between a measurement and its track's last
 * position.
 */
export interface Bounds {
  readonly speedMps: number;
  readonly pp: number;
  readonly vv: number;
  readonly oldestMs: number;
  readonly newestMs: number;
}

export const NO_BOUNDS: Bounds = {
  speedMps: 0,
  pp: 0,
  vv: 0,
  oldestMs: Number.POSITIVE_INFINITY,
  newestMs: Number.NEGATIVE_INFINITY,
};

/** The bounds after adding a track. */
export function widened(bounds: Bounds, estimate: Estimate): Bounds {
  return {
    speedMps: Math.max(bounds.speedMps, speedOf(estimate)),
    pp: Math.max(bounds.pp, estimate.pp),
    vv: Math.max(bounds.vv, estimate.vv),
    oldestMs: Math.min(bounds.oldestMs, estimate.timeMs),
    newestMs: Math.max(bounds.newestMs, estimate.timeMs),
  };
}

/**
 * Maximum distance of a gated measurement from a track's last position, metres; 0 without tracks.
 */
export function reachOf(bounds: Bounds, timeMs: number, positionSigmaM: number): number {
  if (bounds.newestMs < bounds.oldestMs) return 0;
  const ageMs = Math.max(timeMs - bounds.oldestMs, bounds.newestMs - timeMs, 0);
  const worst = predict(
    {
      timeMs: 0,
      position: ORIGIN,
      velocity: ORIGIN,
      pp: bounds.pp,
      // The largest covariance that these variances allow.
      pv: Math.sqrt(bounds.pp * bounds.vv),
      vv: bounds.vv,
    },
    ageMs,
  );
  const sigmaM = Math.sqrt(worst.pp + positionSigmaM ** 2);
  return (bounds.speedMps * ageMs) / 1000 + Math.sqrt(GATE[6]) * sigmaM;
}

const ORIGIN = { x: 0, y: 0, z: 0 };
