/** Lets one investigator examine an incident, and returns the result. */
import type { Clock } from "../base/clock.ts";
import { type Alert, withoutScenario } from "../contract/alert.ts";
import type { Repair } from "../score/run-record.ts";
import type {
  Actuator,
  Budget,
  Investigation,
  Investigator,
  TelemetryUrls,
  Transcript,
} from "../investigate/investigator.ts";
import type { Scenario } from "../../scenarios/load.ts";
import { mustNotLeak } from "./leaks.ts";

/** One investigator's look at an incident. */
export interface Look {
  readonly investigator: string;
  readonly investigation: Investigation;
  readonly startUnixMs: number;
  readonly endUnixMs: number;
  readonly transcript: readonly string[];
  /** How the system was after the investigator had acted; absent when it did not act. */
  readonly repair?: Repair;
}

export interface ExamineOptions {
  readonly scenario: Scenario;
  readonly alert: Alert;
  readonly urls: TelemetryUrls;
  readonly budget: Budget;
  readonly seed: number;
  readonly signal: AbortSignal;
  /** The machine's clock. */
  readonly clock: Clock;
  /** Telemetry's clock, if it differs. */
  readonly telemetryClock?: Clock;
  /** Set: the investigator may act. */
  readonly actuator?: Actuator | undefined;
  /** Shows a line of the transcript and returns it with its time. */
  readonly keep: (line: string) => string;
}

/**
 * Throws when the signal is aborted, or when an answer revealed the scenario; never for a wrong
 * answer.
 */
export async function examine(investigator: Investigator, options: ExamineOptions): Promise<Look> {
  const { scenario, alert, urls, budget, seed, signal, clock, telemetryClock, keep } = options;
  const { actuator } = options;
  const lines: string[] = [];
  const add = (line: string): void => void lines.push(keep(line));
  const transcript: Transcript = {
    phase: (phase, detail) => add(detail === undefined ? phase : `${phase}: ${detail}`),
    note: (line) => add(`  ${line}`),
  };
  const startUnixMs = clock.nowMs();
  const investigation = await investigator.investigate({
    alert: withoutScenario(alert),
    urls,
    budget,
    transcript,
    signal,
    seed,
    ...(telemetryClock === undefined ? {} : { clock: telemetryClock }),
    ...(actuator === undefined ? {} : { actuator }),
  });
  const endUnixMs = clock.nowMs();
  signal.throwIfAborted();
  mustNotLeak(investigation.evidence, scenario);
  const { name } = investigator;
  return { investigator: name, investigation, startUnixMs, endUnixMs, transcript: lines };
}
