/** Rates the threat of a tactical track by speed, altitude and classification. Pure. */
import { THREAT_LEVELS } from "../../lib/contract/types.ts";
import type { TacticalTrack, ThreatAssessment } from "../../lib/cms/messages.ts";
import { length } from "../../lib/cms/vector.ts";

export type ThreatLevel = ThreatAssessment["level"];

const CLASS_POINTS: Readonly<Record<TacticalTrack["classification"], number>> = {
  MISSILE: 50,
  AIRCRAFT: 20,
  UNKNOWN: 10,
};
/** Each of these metres per second gives one point, up to MAX_SPEED_POINTS. */
const MPS_PER_POINT = 20;
const MAX_SPEED_POINTS = 30;
const MAX_SCORE = 100;
const LOW_ALTITUDE = { belowM: 4_000, points: 20 };
const MEDIUM_ALTITUDE = { belowM: 9_000, points: 10 };
/** Minimum score of a level. */
const LEVEL_FROM: Readonly<Record<ThreatLevel, number>> = {
  LOW: 0,
  MEDIUM: 38,
  HIGH: 60,
  CRITICAL: 80,
};
/**
 * A track changes its level only when its score is this far beyond the limit, so that noise does
 * not flip it.
 */
const HYSTERESIS_POINTS = 4;

export interface Rating {
  readonly level: ThreatLevel;
  /** 1 is the most urgent. */
  readonly priority: number;
  /** 0 to 100. */
  readonly score: number;
  readonly rationale: string;
}

/** Rates a track; `prior` is its previous level, `offset` is added to each score. */
export function rate(
  track: Pick<TacticalTrack, "position" | "velocity" | "classification">,
  prior: ThreatLevel | undefined,
  offset = 0,
): Rating {
  const speed = length(track.velocity);
  const altitude = track.position.z;
  const speedPoints = Math.min(MAX_SPEED_POINTS, speed / MPS_PER_POINT);
  const altitudePoints =
    altitude < LOW_ALTITUDE.belowM
      ? LOW_ALTITUDE.points
      : altitude < MEDIUM_ALTITUDE.belowM
        ? MEDIUM_ALTITUDE.points
        : 0;
  const points = CLASS_POINTS[track.classification] + speedPoints + altitudePoints + offset;
  const score = Math.min(MAX_SCORE, Math.max(0, points));
  const level = levelOf(score, prior);
  return {
    level,
    score,
    priority: THREAT_LEVELS.length - THREAT_LEVELS.indexOf(level),
    rationale: `${track.classification} at ${Math.round(speed)} m/s, ${Math.round(altitude)} m`,
  };
}

function levelOf(score: number, prior: ThreatLevel | undefined): ThreatLevel {
  const plain = THREAT_LEVELS.findLast((level) => score >= LEVEL_FROM[level]) ?? "LOW";
  if (prior === undefined || plain === prior) return plain;
  const rising = THREAT_LEVELS.indexOf(plain) > THREAT_LEVELS.indexOf(prior);
  const limit = rising ? LEVEL_FROM[plain] : LEVEL_FROM[prior];
  return Math.abs(score - limit) >= HYSTERESIS_POINTS ? plain : prior;
}
