/** Growth rate of a measured quantity after its warm-up. */
import { median } from "../base/figure.ts";

/** A measurement and its time since the start. */
export interface Point {
  readonly atMs: number;
  readonly value: number;
}

const HOUR_MS = 3_600_000;
/** The share of a run in which heaps, caches and stores still fill. */
const WARM_UP_SHARE = 0.2;

/** The points after the warm-up. */
export function settled(points: readonly Point[]): readonly Point[] {
  const last = points.at(-1)?.atMs ?? 0;
  const first = points[0]?.atMs ?? 0;
  return points.filter(({ atMs }) => atMs >= first + (last - first) * WARM_UP_SHARE);
}

/**
 * Growth per hour by the Theil–Sen slope: the median of the slopes of all pairs of points, which is
 * robust against outliers at either end. NaN with fewer than two points.
 */
export function growthPerHour(points: readonly Point[]): number {
  const slopes: number[] = [];
  const some = thinned(points, MAX_POINTS);
  for (const [i, a] of some.entries()) {
    for (const b of some.slice(i + 1)) {
      slopes.push(((b.value - a.value) / (b.atMs - a.atMs)) * HOUR_MS);
    }
  }
  return median(slopes);
}

/** 300 points make 44,850 pairs. */
const MAX_POINTS = 300;

function thinned<T>(items: readonly T[], max: number): readonly T[] {
  const step = Math.ceil(items.length / max);
  return step <= 1 ? items : items.filter((_, i) => i % step === 0);
}
