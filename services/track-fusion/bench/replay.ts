/** Passes lines of detections to the tracker in order of arrival, as fusion does. */
import { admit } from "../tracking/admit.ts";
import { type Scan, Scans } from "../tracking/scans.ts";
import type { Estimate } from "../tracking/kalman.ts";
import { Tracker } from "../tracking/tracker.ts";
import type { TrackLine } from "./measures.ts";

type State = Pick<Estimate, "timeMs" | "position" | "velocity">;

/** The tracker with lines as input and output. It has no access to the truth. */
export class Replay {
  readonly #tracker = new Tracker("0");
  readonly #scans = new Scans<undefined>();
  readonly #write: (line: TrackLine) => void;
  readonly refused = new Map<string, number>();

  constructor(write: (line: TrackLine) => void) {
    this.#write = write;
  }

  /** Takes one detection; counts and refuses one with an invalid number. */
  take(line: Readonly<Record<string, unknown>>): void {
    const number = (name: string): number => {
      const value = line[name];
      return typeof value === "number" ? value : Number.NaN;
    };
    const t = number("t");
    const arrivedMs = (line["arrived"] === undefined ? t : number("arrived")) * 1000;
    const hasVelocity =
      line["vx"] !== undefined || line["vy"] !== undefined || line["vz"] !== undefined;
    const admitted = admit(
      {
        sensor_id: typeof line["sensor_id"] === "string" ? line["sensor_id"] : "",
        position: { x: number("x"), y: number("y"), z: number("z") },
        velocity: hasVelocity
          ? { x: number("vx"), y: number("vy"), z: number("vz") }
          : { x: 0, y: 0, z: 0 },
        classification: "UNKNOWN",
        position_sigma_m: number("sigma_m"),
        observed_unix_ms: t * 1000,
      },
      {
        isSensor: (id) => id !== "",
        isTooOld: (ms) => this.#tracker.isTooOld(ms),
        nowMs: arrivedMs,
      },
    );
    if (typeof admitted === "string") {
      this.refuse(admitted);
      return;
    }
    for (const scan of this.#scans.due(arrivedMs)) this.#process(scan);
    const ended = this.#scans.add(admitted, undefined, arrivedMs);
    if (ended !== undefined) this.#process(ended);
  }

  refuse(reason: string): void {
    this.refused.set(reason, (this.refused.get(reason) ?? 0) + 1);
  }

  /** Processes the detections that wait for the rest of their scan. */
  finish(): void {
    for (const scan of this.#scans.due(Number.POSITIVE_INFINITY)) this.#process(scan);
  }

  #process(scan: Scan<undefined>): void {
    for (const update of this.#tracker.take(scan)) {
      if (update === undefined) continue;
      const { track_id: id, position, velocity, updated_unix_ms: timeMs } = update.track;
      for (const state of [...update.revised, { position, velocity, timeMs }]) {
        this.#write(lineOf(id, state));
      }
    }
  }
}

function lineOf(id: string, { timeMs, position, velocity }: State): TrackLine {
  const { x, y, z } = position;
  // Seconds with microsecond resolution: the number in the detection's line.
  const t = Math.round(timeMs * 1000) / 1e6;
  return { t, id, x, y, z, vx: velocity.x, vy: velocity.y, vz: velocity.z };
}
