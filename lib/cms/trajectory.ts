/**
 * The targets: circles at altitude around one point. A target's position depends on time and
 * configuration only, so separate processes compute the same one.
 */
import { createPrng } from "../base/prng.ts";
import type { Fleet } from "../contract/fleet.ts";
import type { SourceTrack, Vector3 } from "./messages.ts";

export interface Target {
  readonly classification: Exclude<SourceTrack["classification"], "UNKNOWN">;
  readonly radiusM: number;
  readonly altitudeM: number;
  readonly speedMps: number;
  /** Its angle on the circle at the epoch, radians. */
  readonly phase: number;
}

/**
 * All targets of a circle fly at one speed, and circles are `separationM` apart: no two targets
 * ever come closer than that.
 */
interface Ring {
  /** The first target on it. */
  readonly target: Target;
  readonly capacity: number;
}

const INNER_RADIUS_M = 20_000;
/** The three canonical targets fly on one inner circle each. */
const MIN_RINGS = 3;
const INNER: readonly Pick<Target, "classification" | "altitudeM" | "speedMps">[] = [
  { classification: "MISSILE", altitudeM: 3_000, speedMps: 600 },
  { classification: "AIRCRAFT", altitudeM: 7_000, speedMps: 250 },
  { classification: "AIRCRAFT", altitudeM: 10_500, speedMps: 220 },
];

/**
 * Makes the targets of a fleet on the smallest sufficient number of circles, assigned to the
 * circles in turn.
 */
export function makeTargets({
  targets: count,
  seed,
  separationM,
}: Pick<Fleet, "targets" | "seed" | "separationM">): readonly Target[] {
  const rings: Ring[] = [];
  for (let room = 0; room < count || rings.length < MIN_RINGS;) {
    const ring = ringOf(rings.length, separationM, seed);
    rings.push(ring);
    room += ring.capacity;
  }
  const onRing = rings.map(() => 0);
  for (let placed = 0, i = 0; placed < count; i = (i + 1) % rings.length) {
    const used = onRing[i] ?? 0;
    if (used >= (rings[i]?.capacity ?? 0)) continue;
    onRing[i] = used + 1;
    placed++;
  }
  return rings.flatMap(({ target }, i) => {
    const used = onRing[i] ?? 0;
    return Array.from({ length: used }, (_, j) => ({
      ...target,
      phase: target.phase + (j * 2 * Math.PI) / used,
    }));
  });
}

function ringOf(index: number, separationM: number, seed: number | undefined): Ring {
  const radiusM = INNER_RADIUS_M + index * separationM;
  // The maximum number of targets whose neighbours are a chord of `separationM` apart.
  const halfAngle = Math.asin(Math.min(1, separationM / (2 * radiusM)));
  const inner = INNER[index];
  const phase = seed === undefined ? 2 * index : turnOf(seed, index);
  return {
    target: {
      classification: inner?.classification ?? "AIRCRAFT",
      radiusM,
      altitudeM: inner?.altitudeM ?? 5_000 + (index % 7) * 1_000,
      speedMps: inner?.speedMps ?? 200 + (index % 10) * 10,
      phase,
    },
    capacity: Math.max(1, Math.floor(Math.PI / halfAngle + 1e-9)),
  };
}

const turnOf = (seed: number, index: number): number =>
  createPrng(seed).child(`ring ${index}`).next() * 2 * Math.PI;

/** Position (metres) and velocity (metres per second) of a target at a time. */
export function stateAt(target: Target, unixMs: number): { position: Vector3; velocity: Vector3 } {
  const { radiusM, altitudeM, speedMps, phase } = target;
  const period = (2 * Math.PI * radiusM) / speedMps;
  // Removes whole turns first: with many turns the sine would lose precision.
  const turn = ((unixMs / 1000) % period) / period;
  const angle = phase + turn * 2 * Math.PI;
  return {
    position: { x: radiusM * Math.cos(angle), y: radiusM * Math.sin(angle), z: altitudeM },
    velocity: { x: -speedMps * Math.sin(angle), y: speedMps * Math.cos(angle), z: 0 },
  };
}
