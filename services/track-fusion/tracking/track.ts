/**
 * One target's track: its measurements of the last seconds, each with the state after it.
 *
 * A late measurement is inserted by time, and the later ones are filtered again. This is the exact
 * solution for out-of-sequence measurements, with bounded memory. Bar-Shalom, Willett and Tian,
 * "Tracking and Data Fusion" (2011), section 8.3.
 */
import type { TacticalTrack } from "../../../lib/cms/messages.ts";
import { Contributors } from "./contributors.ts";
import { type Estimate, initiate, type Measurement, predict, update } from "./kalman.ts";

/** Maximum age of a late measurement that is inserted. */
export const MAX_LAG_MS = 5000;
/**
 * Measurements kept for that: 5 s at 50 scans a second. At higher rates the memory covers less
 * time.
 */
const MAX_STEPS = 256;

interface Step {
  readonly measurement: Measurement;
  readonly after: Estimate;
}

export class Track {
  /** Number of the scan that started it. */
  readonly bornAtScan: number;
  /** Set when it is confirmed. */
  id: string | undefined;
  readonly contributors = new Contributors();
  classification: TacticalTrack["classification"] = "UNKNOWN";
  /** Number of measurements. */
  hits = 0;
  /** Number of the last scan that updated it. */
  hitAtScan: number;
  readonly #steps: Step[];
  /** The state before the oldest remembered measurement. */
  #first: Estimate;
  #hasForgotten = false;

  constructor(measurement: Measurement, scan: number) {
    this.#first = initiate(measurement);
    this.#steps = [{ measurement, after: this.#first }];
    this.bornAtScan = scan;
    this.hitAtScan = scan;
    this.#note(measurement);
  }

  /** The state after the newest measurement. */
  get newest(): Estimate {
    return this.#steps.at(-1)?.after ?? this.#first;
  }

  /** The states after each remembered measurement, in order of time. */
  history(): Estimate[] {
    return this.#steps.map(({ after }) => after);
  }

  /**
   * The state at any time, from the measurements before it; extrapolated backwards before the first
   * one.
   */
  at(timeMs: number): Estimate {
    const before = this.#steps[this.#lastUpTo(timeMs)];
    return predict(before?.after ?? this.#first, timeMs);
  }

  /** Whether it has a measurement of this scan: a sensor detects a target once in a scan. */
  hasOf(sensorId: string, timeMs: number): boolean {
    for (let i = this.#lastUpTo(timeMs); i >= 0; i--) {
      const measurement = this.#steps[i]?.measurement;
      if (measurement === undefined || measurement.timeMs < timeMs) return false;
      if (measurement.sensorId === sensorId) return true;
    }
    return false;
  }

  /**
   * Adds a measurement, and filters the later ones again. Returns the states before the newest one
   * that changed; undefined when the measurement is older than the memory and was ignored.
   */
  take(measurement: Measurement): readonly Estimate[] | undefined {
    const before = this.#lastUpTo(measurement.timeMs);
    if (before === -1 && this.#hasForgotten) return undefined;
    this.#steps.splice(before + 1, 0, { measurement, after: this.#first });
    for (let i = before + 1; i < this.#steps.length; i++) this.#filter(i);
    this.#first = this.#steps[0]?.after ?? this.#first;
    const changed = this.#steps.slice(before + 1, -1).map(({ after }) => after);
    this.#forget();
    this.#note(measurement);
    return changed;
  }

  /** Filters the measurement of a step again, from the state before it. */
  #filter(index: number): void {
    const measurement = this.#steps[index]?.measurement;
    if (measurement === undefined) return;
    const before = this.#steps[index - 1]?.after;
    const after =
      before === undefined
        ? initiate(measurement)
        : update(predict(before, measurement.timeMs), measurement);
    this.#steps[index] = { measurement, after };
  }

  #note({ sensorId, timeMs, classification }: Measurement): void {
    this.hits++;
    this.contributors.see(sensorId, timeMs);
    if (classification !== "UNKNOWN") this.classification = classification;
  }

  /** Index of the last step at or before `timeMs`; -1 when all are later. */
  #lastUpTo(timeMs: number): number {
    let index = this.#steps.length - 1;
    while (index >= 0 && (this.#steps[index]?.measurement.timeMs ?? 0) > timeMs) index--;
    return index;
  }

  /**
   * Drops steps in blocks, so that the cost of a measurement does not depend on the number of
   * steps.
   */
  #forget(): void {
    const fromMs = this.newest.timeMs - MAX_LAG_MS;
    const isOver = this.#steps.length > MAX_STEPS;
    const oldest = this.#steps[isOver ? 0 : MAX_SPARE]?.measurement.timeMs ?? fromMs;
    if (!isOver && oldest >= fromMs) return;
    let drop = isOver ? MAX_SPARE : 0;
    // Keeps the last step before the limit, because the next one is predicted from it.
    while ((this.#steps[drop + 1]?.measurement.timeMs ?? fromMs) < fromMs) drop++;
    this.#steps.splice(0, drop);
    this.#hasForgotten ||= drop > 0;
    this.#first = this.#steps[0]?.after ?? this.#first;
  }
}

/** Number of expired steps that may accumulate. */
const MAX_SPARE = 16;
