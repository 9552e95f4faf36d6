/**
 * Measures the quality of tracks against the truth.
 *
 * GOSPA: Rahmathullah, García-Fernández and Svensson, "Generalized optimal sub-pattern assignment
 * metric", FUSION 2017, with alpha = 2: errors of position, and a fixed penalty for each target
 * without a track and each track without a target. Completeness and spuriousness: as in the Single
 * Integrated Air Picture metrics.
 */
import { solve } from "../tracking/assignment.ts";
import type { TruthLine } from "./scenes.ts";

/** A track's state as a line: times in seconds. */
export interface TrackLine extends TruthLine {
  readonly vx: number;
  readonly vy: number;
  readonly vz: number;
}

export interface Measures {
  /** Mean over all times of the truth, metres. */
  readonly gospaM: number;
  /** Share of a target's samples with a track, counted from its first sample with one. */
  readonly completeness: number;
  /** Share of the tracks' samples without a target; each track's last sample does not count. */
  readonly spurious: number;
  /** Root mean square position error of tracks with a target, metres. */
  readonly rmsM: number;
}

/** Maximum distance between a target and its track. */
const CUTOFF_M = 1000;

interface Sample {
  readonly targets: readonly TruthLine[];
  readonly tracks: readonly TrackLine[];
  /** Index of each target's track; -1 for none. */
  readonly trackOf: readonly number[];
  readonly errors: readonly number[];
}

/**
 * Measures tracks at the times of the truth. A track exists until one sample after its last update,
 * extrapolated with its velocity.
 */
export function measure(truth: readonly TruthLine[], tracks: readonly TrackLine[]): Measures {
  const samples = samplesOf(truth, tracks);
  const gospas = samples.map(({ targets, tracks: estimates, errors }) => {
    const missed = targets.length - errors.length;
    const surplus = estimates.length - errors.length;
    const squares = errors.reduce((sum, error) => sum + error * error, 0);
    return Math.sqrt(squares + (CUTOFF_M ** 2 / 2) * (missed + surplus));
  });
  const errors = samples.flatMap((sample) => sample.errors);
  return {
    gospaM: mean(gospas),
    completeness: completenessOf(samples),
    spurious: spuriousOf(samples),
    rmsM: Math.sqrt(mean(errors.map((error) => error * error))),
  };
}

function samplesOf(truth: readonly TruthLine[], tracks: readonly TrackLine[]): Sample[] {
  const byTime = Map.groupBy(truth, ({ t }) => t);
  const times = [...byTime.keys()].toSorted((a, b) => a - b);
  const steps = times.slice(1).map((t, i) => t - (times[i] ?? t));
  const holdS = steps.length === 0 ? 1 : Math.min(...steps);
  // A stable sort: of lines with equal times the last one written stays last.
  const sorted = tracks.toSorted((a, b) => a.t - b.t);
  const newest = new Map<string, TrackLine>();
  let next = 0;
  return times.map((t) => {
    for (
      let line = sorted[next];
      line !== undefined && line.t <= t + EPSILON_S;
      line = sorted[next]
    ) {
      newest.set(line.id, line);
      next++;
    }
    const shown = [...newest.values()]
      .filter((line) => t - line.t < holdS + EPSILON_S)
      .map((line) => carried(line, t));
    return matched(byTime.get(t) ?? [], shown);
  });
}

const EPSILON_S = 1e-6;

function carried(line: TrackLine, t: number): TrackLine {
  const dt = t - line.t;
  const { x, y, z, vx, vy, vz } = line;
  return { ...line, t, x: x + vx * dt, y: y + vy * dt, z: z + vz * dt };
}

function matched(targets: readonly TruthLine[], tracks: readonly TrackLine[]): Sample {
  const limit = CUTOFF_M ** 2;
  const distance = (a: TruthLine, b: TruthLine): number =>
    Math.hypot(a.x - b.x, a.y - b.y, a.z - b.z);
  const costs = targets.map((target) => {
    const pairs = tracks.map((track) => Math.min(distance(target, track) ** 2, limit));
    // One column for each target stands for "no track".
    return new Float64Array([...pairs, ...targets.map(() => limit)]);
  });
  const trackOf = [...solve(costs)].map((column, i) =>
    column < tracks.length && (costs[i]?.[column] ?? limit) < limit ? column : -1,
  );
  const errors = trackOf.flatMap((column, i) =>
    column === -1 ? [] : [Math.sqrt(costs[i]?.[column] ?? 0)],
  );
  return { targets, tracks, trackOf, errors };
}

function completenessOf(samples: readonly Sample[]): number {
  const begun = new Set<string>();
  const all = new Set<string>();
  let [with_, total] = [0, 0];
  for (const { targets, trackOf } of samples) {
    for (const [i, { id }] of targets.entries()) {
      all.add(id);
      if (trackOf[i] !== -1) begun.add(id);
      if (!begun.has(id)) continue;
      total++;
      if (trackOf[i] !== -1) with_++;
    }
  }
  // A target that never had a track counts like one that had a track all the time.
  const perTarget = begun.size === 0 ? 1 : total / begun.size;
  return with_ / Math.max(1, total + (all.size - begun.size) * perTarget);
}

function spuriousOf(samples: readonly Sample[]): number {
  const lastOf = new Map<string, number>();
  for (const [n, { tracks }] of samples.entries()) {
    for (const { id } of tracks) lastOf.set(id, n);
  }
  let [without, total] = [0, 0];
  for (const [n, { tracks, trackOf }] of samples.entries()) {
    for (const [i, { id }] of tracks.entries()) {
      total++;
      if (!trackOf.includes(i) && lastOf.get(id) !== n) without++;
    }
  }
  return without / Math.max(1, total);
}

const mean = (values: readonly number[]): number =>
  values.reduce((sum, value) => sum + value, 0) / Math.max(1, values.length);
