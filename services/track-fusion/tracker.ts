/** Correlation: which tactical track a source track belongs to, and what it does to it. Pure. */
import type { SourceTrack, TacticalTrack, Vector3 } from "../../lib/cms/messages.ts";
import { between, distance, plus } from "../../lib/cms/vector.ts";

/**
 * How far from a track's predicted position a source track may lie to belong to it, metres: more than eight standard
 * deviations of the widest sensor (800 m on each axis), and well below half of what lies between two targets (20 km).
 */
export const GATE_M = 8000;
/** A track that nothing has updated for so long is given up. */
export const TRACK_TIMEOUT_MS = 5000;
/**
 * A sensor leaves a track's contributors after this time without a detection. EO-3 misses 30 % of its scans at 2 Hz:
 * 16 misses in a row, on one of three targets, come about once in fifteen months.
 */
export const CONTRIBUTOR_WINDOW_MS = 8000;
/** Weight of a new position: 1 for a perfect sensor, falling with its variance against this one, metres. */
const TRACK_SIGMA_M = 100;
const MIN_WEIGHT = 0.05;
const VELOCITY_WEIGHT = 0.2;

/** What changed in a track's contributors with an update. */
export interface ContributorChange {
  readonly trackId: string;
  readonly added: readonly string[];
  readonly removed: readonly string[];
  readonly contributors: readonly string[];
}

export interface Update {
  /** Ready to be published but for its trace. */
  readonly track: Omit<TacticalTrack, "trace">;
  readonly change: ContributorChange | undefined;
}

interface Track {
  readonly id: string;
  position: Vector3;
  velocity: Vector3;
  classification: TacticalTrack["classification"];
  updates: number;
  updatedMs: number;
  /** Last detection by sensor. */
  readonly seenMs: Map<string, number>;
  contributors: string[];
}

export class Tracker {
  readonly #tracks = new Map<string, Track>();
  #made = 0;

  /** Tracks maintained now. */
  get size(): number {
    return this.#tracks.size;
  }

  /** Takes a source track in at `nowMs` (Unix milliseconds) and returns the tactical track as it is now. */
  ingest(source: SourceTrack, nowMs: number): Update {
    this.expire(nowMs);
    const track = this.#nearest(source, nowMs) ?? this.#create(source, nowMs);
    apply(track, source, nowMs);
    const change = changeOf(track, nowMs);
    return { track: snapshot(track), change };
  }

  /** Gives up tracks that nothing has updated; returns their ids. */
  expire(nowMs: number): string[] {
    const expired = [...this.#tracks.values()]
      .filter(({ updatedMs }) => nowMs - updatedMs > TRACK_TIMEOUT_MS)
      .map(({ id }) => id);
    for (const id of expired) this.#tracks.delete(id);
    return expired;
  }

  #nearest(source: SourceTrack, nowMs: number): Track | undefined {
    let best: Track | undefined;
    let bestDistance = GATE_M;
    for (const track of this.#tracks.values()) {
      const apart = distance(predicted(track, nowMs), source.position);
      if (apart < bestDistance) [best, bestDistance] = [track, apart];
    }
    return best;
  }

  #create(source: SourceTrack, nowMs: number): Track {
    const track: Track = {
      id: `TT-${String(++this.#made).padStart(4, "0")}`,
      position: source.position,
      velocity: source.velocity,
      classification: "UNKNOWN",
      updates: 0,
      updatedMs: nowMs,
      seenMs: new Map(),
      contributors: [],
    };
    this.#tracks.set(track.id, track);
    return track;
  }
}

function predicted(track: Track, nowMs: number): Vector3 {
  return plus(track.position, track.velocity, (nowMs - track.updatedMs) / 1000);
}

function apply(track: Track, source: SourceTrack, nowMs: number): void {
  const ratio = source.position_sigma_m / TRACK_SIGMA_M;
  const weight = Math.max(MIN_WEIGHT, 1 / (1 + ratio * ratio));
  track.position = between(predicted(track, nowMs), source.position, weight);
  track.velocity = between(track.velocity, source.velocity, weight * VELOCITY_WEIGHT);
  if (source.classification !== "UNKNOWN") track.classification = source.classification;
  track.updates = (track.updates + 1) >>> 0;
  track.updatedMs = nowMs;
  track.seenMs.set(source.sensor_id, nowMs);
}

function changeOf(track: Track, nowMs: number): ContributorChange | undefined {
  const now: string[] = [];
  for (const [sensor, seenMs] of track.seenMs) {
    if (nowMs - seenMs <= CONTRIBUTOR_WINDOW_MS) now.push(sensor);
    else track.seenMs.delete(sensor);
  }
  const added = now.filter((sensor) => !track.contributors.includes(sensor));
  const removed = track.contributors.filter((sensor) => !now.includes(sensor));
  if (added.length === 0 && removed.length === 0) return undefined;
  track.contributors = now.toSorted();
  return { trackId: track.id, added, removed, contributors: track.contributors };
}

function snapshot(track: Track): Omit<TacticalTrack, "trace"> {
  return {
    track_id: track.id,
    position: track.position,
    velocity: track.velocity,
    classification: track.classification,
    contributing_sensors: track.contributors,
    updates: track.updates,
    updated_unix_ms: track.updatedMs,
  };
}
