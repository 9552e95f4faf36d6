/**
 * The three targets: circles at altitude. Where one is depends on time alone, so that separate processes
 * agree on it.
 */
import type { SourceTrack, Vector3 } from "./messages.ts";

export interface Target {
  readonly classification: Exclude<SourceTrack["classification"], "UNKNOWN">;
  readonly radiusM: number;
  readonly altitudeM: number;
  readonly speedMps: number;
  /** Where on its circle it is at the epoch, radians. */
  readonly phase: number;
}

/** The radii differ by far more than any sensor errs, so that two targets never look like one. */
export const TARGETS: readonly Target[] = [
  { classification: "MISSILE", radiusM: 20_000, altitudeM: 3_000, speedMps: 600, phase: 0 },
  { classification: "AIRCRAFT", radiusM: 40_000, altitudeM: 7_000, speedMps: 250, phase: 2 },
  { classification: "AIRCRAFT", radiusM: 60_000, altitudeM: 10_500, speedMps: 220, phase: 4 },
];

/** Position (metres) and velocity (metres per second) of a target at a time. */
export function stateAt(target: Target, unixMs: number): { position: Vector3; velocity: Vector3 } {
  const { radiusM, altitudeM, speedMps, phase } = target;
  const period = (2 * Math.PI * radiusM) / speedMps;
  // Whole turns are taken off first: a phase of many turns would lose precision in the sine.
  const turn = ((unixMs / 1000) % period) / period;
  const angle = phase + turn * 2 * Math.PI;
  return {
    position: { x: radiusM * Math.cos(angle), y: radiusM * Math.sin(angle), z: altitudeM },
    velocity: { x: -speedMps * Math.sin(angle), y: speedMps * Math.cos(angle), z: 0 },
  };
}
