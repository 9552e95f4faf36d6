/**
 * Multi-sensor tracker: gating, global nearest neighbour, confirmation by M of N, deletion. It uses
 * the time of observation, which may differ from the time of processing. Blackman and Popoli,
 * "Design and Analysis of Modern Tracking Systems" (1999), chapter 6: gates 6.3, assignment 6.4,
 * track confirmation and deletion 6.2.
 */
import type { TacticalTrack } from "../../../lib/cms/messages.ts";
import { assign, type Pair } from "./assignment.ts";
import type { ContributorChange } from "./contributors.ts";
import {
  GATE,
  gatedCost,
  NO_BOUNDS,
  positionDistance,
  reachOf,
  UNASSIGNED_COST,
  widened,
} from "./gate.ts";
import { Grid } from "./grid.ts";
import { type Estimate, type Measurement, predict } from "./kalman.ts";
import type { Scan } from "./scans.ts";
import { VelocityNoise } from "./velocity-noise.ts";
import { MAX_LAG_MS, Track } from "./track.ts";

/** A track is confirmed by this number of measurements ... */
export const CONFIRM_HITS = 3;
/** ... within this number of scans of all sensors, including the first. */
export const CONFIRM_SCANS = 8;
/** A track ends after this number of consecutive scans without a measurement ... */
export const MAX_MISSES = 30;
/** ... but not within this time: a fast sensor that covers another area must not end it. */
const MIN_SILENCE_MS = 2000;
/** A track ends after this time without an update, whatever the number of scans. */
export const TRACK_TIMEOUT_MS = 5000;
/** With slow sensors, the duration of this many scans of the fastest one counts. */
const TIMEOUT_SCANS = 8;
const MAX_TIMEOUT_MS = 60_000;
/** A track ends when the standard deviation of its position on an axis is larger. */
const MAX_SIGMA_M = 5000;
/** Interval between two checks for ended tracks, in time of observation. */
const SWEEP_MS = 250;

/** The effect of a measurement on a confirmed track. */
export interface Update {
  /** The message to publish, without its trace. */
  readonly track: Omit<TacticalTrack, "trace">;
  readonly change: ContributorChange | undefined;
  /** Earlier states that this measurement confirmed, or corrected because it was late. */
  readonly revised: readonly Estimate[];
}

interface SensorState {
  newestMs: number;
  /** Time between its last two scans; 0 before the second one. */
  periodMs: number;
}

export class Tracker {
  readonly #series: string;
  readonly #tracks = new Grid<Track>();
  readonly #tentative = new Set<Track>();
  readonly #sensors = new Map<string, SensorState>();
  readonly #velocityNoise = new VelocityNoise();
  readonly #over: string[] = [];
  #confirmed = 0;
  #scans = 0;
  #newestMs = Number.NEGATIVE_INFINITY;
  #sweptMs = Number.NEGATIVE_INFINITY;
  #bounds = NO_BOUNDS;

  /** `series` is part of every id and must differ between runs, so that ids are unique. */
  constructor(series: string) {
    this.#series = series;
  }

  /** Number of confirmed tracks. */
  get size(): number {
    return this.#tracks.size - this.#tentative.size;
  }

  /** The newest time of observation. */
  get newestMs(): number {
    return this.#newestMs;
  }

  /** Whether an observation of this time is too old to be used. */
  isTooOld(timeMs: number): boolean {
    return timeMs < this.#newestMs - MAX_LAG_MS;
  }

  /** Processes a scan; returns for each measurement its effect on a confirmed track, if any. */
  take(scan: Scan<unknown>): (Update | undefined)[] {
    this.#count(scan);
    const measurements = scan.measurements.map((each) => this.#velocityNoise.corrected(each));
    const updates: (Update | undefined)[] = measurements.map(() => undefined);
    let left = measurements.map((_, i) => i);
    // Confirmed tracks are assigned first; the remaining measurements may belong to tentative ones.
    for (const isConfirmed of [true, false]) {
      const pairs = this.#gate(scan, left, isConfirmed);
      const chosen = assign(pairs.list, UNASSIGNED_COST);
      for (const [trackIndex, measurement] of chosen) {
        const track = pairs.tracks[trackIndex];
        const taken = measurements[measurement];
        if (track === undefined || taken === undefined) continue;
        updates[measurement] = this.#update(track, taken);
      }
      const used = new Set(chosen.values());
      left = left.filter((i) => !used.has(i));
    }
    for (const i of left) {
      const measurement = measurements[i];
      if (measurement !== undefined) this.#begin(measurement);
    }
    this.#dropUnconfirmed();
    if (this.#newestMs - this.#sweptMs >= SWEEP_MS) this.expire(this.#newestMs);
    return updates;
  }

  /** Ends tracks as of `nowMs`; all observations up to that time have been processed. */
  expire(nowMs: number): void {
    this.#sweptMs = nowMs;
    this.#bounds = NO_BOUNDS;
    const periods = [...this.#sensors.values()].map(({ periodMs }) => periodMs);
    const shortest = Math.min(...periods.filter((periodMs) => periodMs > 0));
    const scansMs = Number.isFinite(shortest) ? TIMEOUT_SCANS * shortest : 0;
    const timeoutMs = Math.max(TRACK_TIMEOUT_MS, Math.min(scansMs, MAX_TIMEOUT_MS));
    for (const track of this.#tracks.all()) {
      const { newest } = track;
      const silentMs = nowMs - newest.timeMs;
      const misses = this.#scans - track.hitAtScan;
      const isOver =
        silentMs > timeoutMs ||
        (misses >= MAX_MISSES && silentMs >= MIN_SILENCE_MS) ||
        predict(newest, Math.max(nowMs, newest.timeMs)).pp > MAX_SIGMA_M ** 2;
      if (isOver) this.#end(track);
      else this.#bounds = widened(this.#bounds, newest);
    }
  }

  /** The ids of tracks that ended since the last call. */
  takeEnded(): string[] {
    return this.#over.splice(0);
  }

  #count({ sensorId, timeMs }: Scan<unknown>): void {
    const known = this.#sensors.get(sensorId);
    this.#newestMs = Math.max(this.#newestMs, timeMs);
    if (known === undefined) {
      this.#sensors.set(sensorId, { newestMs: timeMs, periodMs: 0 });
    } else if (timeMs > known.newestMs) {
      known.periodMs = timeMs - known.newestMs;
      known.newestMs = timeMs;
    } else {
      // Another part of a scan, or one out of sequence: its misses have been counted already.
      return;
    }
    this.#scans++;
  }

  /** The pairs of a scan that are within the gate. */
  #gate(
    { sensorId, timeMs, measurements }: Scan<unknown>,
    indices: readonly number[],
    isConfirmed: boolean,
  ): { list: Pair[]; tracks: Track[] } {
    const list: Pair[] = [];
    const tracks: Track[] = [];
    const seen = new Map<Track, { index: number; predicted: Estimate } | null>();
    const isKnown = this.#velocityNoise.isKnown(sensorId);
    for (const i of indices) {
      const measurement = measurements[i];
      if (measurement === undefined) continue;
      const usual = this.#velocityNoise.corrected(measurement);
      const gated = isKnown ? usual : { ...usual, velocity: undefined };
      const { position, positionSigmaM } = measurement;
      const reach = reachOf(this.#bounds, timeMs, positionSigmaM);
      let nearest: Estimate | undefined;
      let nearestSquared: number = GATE[3];
      this.#tracks.near(position.x, position.y, reach, (track) => {
        if ((track.id !== undefined) !== isConfirmed) return;
        let candidate = seen.get(track);
        if (candidate === undefined) {
          const isTaken = track.hasOf(sensorId, timeMs);
          candidate = isTaken ? null : { index: tracks.length, predicted: track.at(timeMs) };
          if (candidate !== null) tracks.push(track);
          seen.set(track, candidate);
        }
        if (candidate === null) return;
        const squared = positionDistance(candidate.predicted, measurement);
        if (squared > GATE[3]) return;
        if (squared < nearestSquared) [nearest, nearestSquared] = [candidate.predicted, squared];
        const cost = gatedCost(candidate.predicted, gated);
        if (cost !== undefined) list.push({ measurement: i, track: candidate.index, cost });
      });
      if (nearest !== undefined) this.#velocityNoise.note(measurement, nearest);
    }
    return { list, tracks };
  }

  #begin(measurement: Measurement): void {
    const track = new Track(measurement, this.#scans);
    this.#tentative.add(track);
    this.#place(track);
  }

  #update(track: Track, measurement: Measurement): Update | undefined {
    const changed = track.take(measurement);
    track.hitAtScan = this.#scans;
    if (changed === undefined) return undefined;
    this.#place(track);
    const isNew = track.id === undefined && track.hits >= CONFIRM_HITS;
    if (isNew) this.#confirm(track);
    const revised = isNew ? track.history().slice(0, -1) : changed;
    return track.id === undefined ? undefined : report(track, track.id, revised);
  }

  #confirm(track: Track): void {
    track.id = `TT-${this.#series}-${String(++this.#confirmed).padStart(4, "0")}`;
    this.#tentative.delete(track);
  }

  #place(track: Track): void {
    const { newest } = track;
    this.#tracks.put(track, newest.position.x, newest.position.y);
    this.#bounds = widened(this.#bounds, newest);
  }

  #dropUnconfirmed(): void {
    for (const track of this.#tentative) {
      if (this.#scans - track.bornAtScan >= CONFIRM_SCANS) this.#end(track);
    }
  }

  #end(track: Track): void {
    this.#tracks.remove(track);
    this.#tentative.delete(track);
    if (track.id !== undefined) this.#over.push(track.id);
  }
}

function report(track: Track, id: string, revised: readonly Estimate[]): Update {
  const { newest, contributors } = track;
  const change = contributors.change(newest.timeMs);
  return {
    change,
    revised,
    track: {
      track_id: id,
      position: newest.position,
      velocity: newest.velocity,
      classification: track.classification,
      contributing_sensors: [...contributors.now],
      updates: track.hits >>> 0,
      updated_unix_ms: newest.timeMs,
    },
  };
}
