/** The record of an incident: events with their times, and log lines. */
import type { MonotonicClock } from "../base/clock.ts";
import type { EventName } from "../score/run-record.ts";

/** An event of a run with its time. */
export interface TimelineEvent {
  readonly name: EventName;
  readonly unixMs: number;
}

export class Journal {
  readonly timeline: TimelineEvent[] = [];
  readonly runLog: string[] = [];
  readonly injectLog: string[] = [];
  readonly cleanupLog: string[] = [];
  /** The current step, for the outcome of a run that fails. */
  phase = "up";
  readonly #clock: MonotonicClock;
  /** Monotonic times of the events, so that waits do not depend on the wall clock. */
  readonly #atMs = new Map<EventName, number>();

  constructor(clock: MonotonicClock) {
    this.#clock = clock;
  }

  /** Records the event; only the first call per event counts. */
  event(name: EventName): void {
    if (this.has(name)) return;
    this.timeline.push({ name, unixMs: this.#clock.nowMs() });
    this.#atMs.set(name, this.#clock.monotonicMs());
  }

  has(name: EventName): boolean {
    return this.timeline.some((event) => event.name === name);
  }

  /** Seconds since an event; 0 if it has not happened. */
  secondsSince(name: EventName): number {
    const nowMs = this.#clock.monotonicMs();
    return (nowMs - (this.#atMs.get(name) ?? nowMs)) / 1000;
  }

  /** The line with the present time before it. */
  stamped(line: string): string {
    return `${new Date(this.#clock.nowMs()).toISOString()} ${line}`;
  }
}
