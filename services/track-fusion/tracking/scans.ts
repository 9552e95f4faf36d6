/**
 * Puts the detections of one scan of one sensor together, as they arrive one by one: assignment needs all of them at once.
 *
 * No message says that a scan is complete. So a scan is closed when its sensor's next one begins, or `MAX_WAIT_MS` after its first
 * detection came. What comes later makes a second part, which the tracker takes as a part of the same scan.
 */
import type { Measurement } from "./kalman.ts";

/** A sensor writes a scan at once: a few milliseconds for three targets. */
export const MAX_WAIT_MS = 5;

/** Detections of one sensor at one time; `items` are what came with each of them. */
export interface Scan<T> {
  readonly sensorId: string;
  readonly timeMs: number;
  readonly measurements: Measurement[];
  readonly items: T[];
}

export class Scans<T> {
  readonly #open = new Map<string, { readonly scan: Scan<T>; readonly arrivedMs: number }>();

  #waiting = 0;

  /** Detections that wait for their scan to be complete. */
  get waiting(): number {
    return this.#waiting;
  }

  /** Adds a detection; returns the scan that it ends, if it ends one. Arrival times may come from any clock. */
  add(measurement: Measurement, item: T, arrivedMs: number): Scan<T> | undefined {
    const { sensorId, timeMs } = measurement;
    const open = this.#open.get(sensorId);
    this.#waiting++;
    if (open?.scan.timeMs === timeMs) {
      open.scan.measurements.push(measurement);
      open.scan.items.push(item);
      return undefined;
    }
    // Deleted first: the map is in order of arrival.
    this.#open.delete(sensorId);
    const scan = { sensorId, timeMs, measurements: [measurement], items: [item] };
    this.#open.set(sensorId, { scan, arrivedMs });
    this.#waiting -= open?.scan.items.length ?? 0;
    return open?.scan;
  }

  /** Removes and returns the scans that began to arrive `MAX_WAIT_MS` before `nowMs` or earlier, the oldest first. */
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
