/**
 * Collects the detections of one scan of one sensor, which arrive one by one: assignment needs all
 * of them at once.
 *
 * No message marks the end of a scan. A scan is closed when its sensor's next one begins, or
 * `MAX_WAIT_MS` after the arrival of its first detection. Later detections make a second part,
 * which the tracker treats as part of the same scan.
 */
import type { Measurement } from "./kalman.ts";

/** A sensor writes a scan at once: it takes a few milliseconds for three targets. */
export const MAX_WAIT_MS = 5;

/** Detections of one sensor at one time; `items` are the data added with each of them. */
export interface Scan<T> {
  readonly sensorId: string;
  readonly timeMs: number;
  readonly measurements: Measurement[];
  readonly items: T[];
}

export class Scans<T> {
  readonly #open = new Map<string, { readonly scan: Scan<T>; readonly arrivedMs: number }>();

  #waiting = 0;

  /** Number of detections that wait for the rest of their scan. */
  get waiting(): number {
    return this.#waiting;
  }

  /** Adds a detection; returns the scan that it ends, if any. Arrival times may be of any clock. */
  add(measurement: Measurement, item: T, arrivedMs: number): Scan<T> | undefined {
    const { sensorId, timeMs } = measurement;
    const open = this.#open.get(sensorId);
    this.#waiting++;
    if (open?.scan.timeMs === timeMs) {
      open.scan.measurements.push(measurement);
      open.scan.items.push(item);
      return undefined;
    }
    // Deleted and inserted again, so that the map stays in order of arrival.
    this.#open.delete(sensorId);
    const scan = { sensorId, timeMs, measurements: [measurement], items: [item] };
    this.#open.set(sensorId, { scan, arrivedMs });
    this.#waiting -= open?.scan.items.length ?? 0;
    return open?.scan;
  }

  /**
   * Removes and returns the scans whose first detection arrived at least `MAX_WAIT_MS` before
   * `nowMs`, the oldest first.
   */
  due(nowMs: number): Scan<T>[] {
    const due: Scan<T>[] = [];
    for (const [sensorId, { scan, arrivedMs }] of this.#open) {
      if (nowMs - arrivedMs < MAX_WAIT_MS) break;
      this.#open.delete(sensorId);
      this.#waiting -= scan.items.length;
      due.push(scan);
    }
    return due;
  }
}
