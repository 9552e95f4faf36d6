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
import { leakOf } from "./leaks.ts";

/** One investigator's look at an incident. */
export interface Look {
  readonly investigator: string;
  readonly investigation: Investigation;
  readonly startUnixMs: number;
  readonly endUnixMs: number;
  readonly transcript: readonly string[];
  /** The verdicts on the system after the investigator's actions; undefined if it did not act. */
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
  /** If set, the investigator may act. */
  readonly actuator?: Actuator | undefined;
  /** Shows a line of the transcript and returns it with its time. */
  readonly keep: (line: string) => string;
  /** Whether an earlier investigator had write access to this system. */
  readonly touched?: boolean;
}

/**
 * Throws when the signal aborts, or when an answer contains the scenario's name and only the lab
 * can have written it; never for a wrong answer.
 */
export async function examine(investigator: Investigator, options: ExamineOptions): Promise<Look> {
  const { alert, urls, budget, seed, signal, clock, telemetryClock, keep } = options;
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
  const details = { ...investigation.details, ...plantedIn(investigation, options, add) };
  return {
    investigator: investigator.name,
    investigation: { ...investigation, details },
    startUnixMs,
    endUnixMs,
    transcript: lines,
  };
}

/**
 * Returns recorded words that reveal the scenario and may have been written by an external agent:
 * they are only noted, or else an agent could void the runs of all others with one log line. Throws
 * if only the lab can have written them.
 */
function plantedIn(
  { evidence, details }: Investigation,
  { scenario, touched = false }: ExamineOptions,
  add: (line: string) => void,
): Readonly<Record<string, unknown>> {
  const leak = leakOf(evidence, scenario);
  if (leak === undefined) return {};
  if (!touched && !isOfExternal(details)) throw new Error(leak);
  add(`  perhaps planted: ${leak}`);
  return { planted: leak };
}

const isOfExternal = (details: Investigation["details"]): boolean => "unconfined" in details;

/** Whether this examination's investigator had write access to the system. */
export const couldWrite = ({ investigation }: Look): boolean =>
  investigation.details["unconfined"] === true;
