/**
 * One target's track: its measurements of the last seconds with the state after each of them.
 *
 * A measurement that arrives late is put in its place, and the later ones are filtered again: the exact answer to measurements out
 * of sequence, at the price of a bounded memory. Bar-Shalom, Willett and Tian, "Tracking and Data Fusion" (2011), section 8.3.
 */
import type { TacticalTrack } from "../../../lib/cms/messages.ts";
import { Contributors } from "./contributors.ts";
import { type Estimate, initiate, type Measurement, predict, update } from "./kalman.ts";

/** How far back a measurement may lie to be put in its place. */
export const MAX_LAG_MS = 5000;
/** Measurements kept for that: 5 s at 50 scans a second. With more, the memory reaches less far back. */
const MAX_STEPS = 256;

interface Step {
  readonly measurement: Measurement;
  readonly after: Estimate;
}

export class Track {
  /** The number of the scan that began it. */
  readonly bornAtScan: number;
  /** Set when it is confirmed. */
  id: string | undefined;
  readonly contributors = new Contributors();
  classification: TacticalTrack["classification"] = "UNKNOWN";
  /** Measurements taken in. */
  hits = 0;
  /** The number of the last scan that updated it. */
  hitAtScan: number;
  readonly #steps: Step[];
  /** Where measurements before it can be judged. */
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

  /** The states after each measurement that it remembers, in order of time. */
  history(): Estimate[] {
    return this.#steps.map(({ after }) => after);
  }

  /** The state at any time, from the measurements up to it; before the first one, extrapolated backwards. */
  at(timeMs: number): Estimate {
    const before = this.#steps[this.#lastUpTo(timeMs)];
    return predict(before?.after ?? this.#first, timeMs);
  }

  /** Whether it has taken a measurement of this scan: a sensor sees a target once in a scan. */
  hasOf(sensorId: string, timeMs: number): boolean {
    for (let i = this.#lastUpTo(timeMs); i >= 0; i--) {
      const measurement = this.#steps[i]?.measurement;
      if (measurement === undefined || measurement.timeMs < timeMs) return false;
      if (measurement.sensorId === sensorId) return true;
    }
    return false;
  }

  /**
   * Takes a measurement in, and filters the later ones again. Returns the states before the newest one that changed with it;
   * undefined when the measurement is older than the track's memory, and changed nothing.
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

  /** Takes the measurement of a step in again, after what comes before it. */
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

  /** The index of the last step that is not later than `timeMs`; -1 when all are. */
  #lastUpTo(timeMs: number): number {
    let index = this.#steps.length - 1;
    while (index >= 0 && (this.#steps[index]?.measurement.timeMs ?? 0) > timeMs) index--;
    return index;
  }

  /** Drops steps in blocks, so that the cost of a measurement does not depend on how many are kept. */
  #forget(): void {
    const fromMs = this.newest.timeMs - MAX_LAG_MS;
    const isOver = this.#steps.length > MAX_STEPS;
    const oldest = this.#steps[isOver ? 0 : MAX_SPARE]?.measurement.timeMs ?? fromMs;
    if (!isOver && oldest >= fromMs) return;
    let drop = isOver ? MAX_SPARE : 0;
    // The last step before the limit stays: what comes next is predicted from it.
    while ((this.#steps[drop + 1]?.measurement.timeMs ?? fromMs) < fromMs) drop++;
    this.#steps.splice(0, drop);
    this.#hasForgotten ||= drop > 0;
    this.#first = this.#steps[0]?.after ?? this.#first;
  }
}

/** Steps that may stay longer than they must. */
const MAX_SPARE = 16;
