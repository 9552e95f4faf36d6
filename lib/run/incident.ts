/**
 * One incident: a healthy lab, a fault that is proven, an alert that fires, investigators that look
 * at it one after the other, and a recovery that is proven.
 *
 * Investigators only read, so that all of them may be given the same incident; each finds it as the others
 * left it.
 */
import { type Clock, systemClock } from "../base/clock.ts";
import { CancelledError, EnvironmentError, messageOf, UserFacingError } from "../base/errors.ts";
import { createPrometheusClient, type PrometheusClient } from "../base/prometheus.ts";
import { type Alert, withoutScenario } from "../contract/alert.ts";
import type { AlertRule } from "../contract/alert-rules.ts";
import type {
  Budget,
  Investigation,
  Investigator,
  TelemetryUrls,
  Transcript,
} from "../investigate/investigator.ts";
import type { Lab } from "../lab/lab.ts";
import type { EventName, Outcome } from "../score/run-record.ts";
import type { FaultContext, Healer } from "../../scenarios/define.ts";
import type { Scenario } from "../../scenarios/load.ts";
import { alertPayload } from "./alert-payload.ts";
import { mustNotGiveAway, mustNotLeak } from "./leaks.ts";
import { type MarkerKind, postMarker } from "./markers.ts";
import type { Progress } from "./progress.ts";
import {
  prove,
  proveAlert,
  proveBaseline,
  proveRecovery,
  proveResolved,
  type StepContext,
  within,
} from "./steps.ts";

/** What happened when, in the order of a run. */
export interface TimelineEvent {
  readonly name: EventName;
  readonly unixMs: number;
}

/** One investigator's look at the incident. */
export interface Look {
  readonly investigator: string;
  readonly investigation: Investigation;
  readonly startUnixMs: number;
  readonly endUnixMs: number;
  readonly transcript: readonly string[];
}

export interface Incident {
  readonly scenario: Scenario;
  readonly outcome: Outcome;
  readonly timeline: readonly TimelineEvent[];
  /** As handed out; null when no alert fired. */
  readonly alert: Alert | null;
  readonly looks: readonly Look[];
  readonly metricPoints: readonly (readonly [number, number])[];
  readonly injectLog: readonly string[];
  readonly cleanupLog: readonly string[];
  readonly runLog: readonly string[];
}

export interface IncidentOptions {
  readonly lab: Lab;
  readonly rules: readonly AlertRule[];
  readonly investigators: readonly Investigator[];
  readonly budget: Budget;
  readonly seed: number;
  readonly keepTelemetry: boolean;
  readonly signal: AbortSignal;
  /** Shows the run to a person; the incident keeps its own log. */
  readonly progress: Progress;
  readonly clock?: Clock;
  /** Called once the baseline is proven, and once the alert fires. */
  readonly onHealthy?: (() => Promise<void>) | undefined;
  readonly onFiring?: (() => Promise<void>) | undefined;
}

/** Collects what a run leaves behind. */
class Record {
  readonly timeline: TimelineEvent[] = [];
  readonly runLog: string[] = [];
  readonly injectLog: string[] = [];
  readonly cleanupLog: string[] = [];
  readonly looks: Look[] = [];
  readonly #clock: Clock;
  phase = "up";
  healer: Healer | undefined;
  alert: Alert | null = null;
  metricPoints: readonly (readonly [number, number])[] = [];

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  event(name: EventName): void {
    if (!this.timeline.some((event) => event.name === name)) {
      this.timeline.push({ name, unixMs: this.#clock.nowMs() });
    }
  }

  /** Seconds since an event; none if it never came. */
  secondsSince(name: EventName): number {
    const nowMs = this.#clock.nowMs();
    return (nowMs - (this.timeline.find((event) => event.name === name)?.unixMs ?? nowMs)) / 1000;
  }

  stamped(line: string): string {
    return `${new Date(this.#clock.nowMs()).toISOString()} ${line}`;
  }
}

/**
 * Runs one incident from an empty machine to an empty machine.
 *
 * Never throws for what the environment or an investigator does: that is in the outcome. Throws
 * CancelledError when it was stopped; the lab is down by then, as it is after every other end.
 */
export async function runIncident(scenario: Scenario, options: IncidentOptions): Promise<Incident> {
  const clock = options.clock ?? systemClock;
  const record = new Record(clock);
  const progress: Progress = {
    ...options.progress,
    line: (text) => {
      record.runLog.push(record.stamped(text));
      options.progress.line(text);
    },
  };
  let outcome: Outcome = { kind: "valid" };
  try {
    await play(scenario, options, record, progress);
  } catch (error) {
    if (options.signal.aborted) {
      throw new CancelledError("Stopped; the lab has been taken down", { cause: error });
    }
    outcome = outcomeOf(error, record.phase);
    progress.line(`failed in phase ${record.phase}: ${messageOf(error)}`);
  } finally {
    progress.settle();
    // A lab that did not come up has cleaned up after itself, or is somebody else's.
    if (record.timeline.some(({ name }) => name === "up")) await options.lab.down();
  }
  const { timeline, alert, looks, metricPoints, injectLog, cleanupLog, runLog } = record;
  return { scenario, outcome, timeline, alert, looks, metricPoints, injectLog, cleanupLog, runLog };
}

function outcomeOf(error: unknown, phase: string): Outcome {
  return error instanceof UserFacingError
    ? { kind: "environment-invalid", phase, reason: error.message }
    : {
        kind: "harness-defect",
        reason: `${phase}: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`,
      };
}

/** What the steps of one incident share. */
interface Play {
  readonly scenario: Scenario;
  readonly options: IncidentOptions;
  readonly record: Record;
  readonly progress: Progress;
  readonly prometheus: PrometheusClient;
  readonly rule: AlertRule;
  readonly step: StepContext;
}

async function play(
  scenario: Scenario,
  options: IncidentOptions,
  record: Record,
  progress: Progress,
): Promise<void> {
  const rule = options.rules.find(({ uid }) => uid === scenario.alert.uid);
  if (rule === undefined) throw new Error(`No alert rule has the uid ${scenario.alert.uid}`);
  const prometheus = createPrometheusClient(`http://localhost:${options.lab.ports.prometheus}`);
  const step = { prometheus, progress, signal: options.signal };
  const shared: Play = { scenario, options, record, progress, prometheus, rule, step };
  progress.line(`scenario ${scenario.name}: ${scenario.title}`);
  await bringUp(shared);
  await breakAndWait(shared);
  await healBefore(shared);
  await investigateAll(shared);
  await recover(shared);
}

function faultContext(
  { options, record, progress, prometheus }: Play,
  log: string[],
): FaultContext {
  return {
    lab: options.lab,
    prometheus,
    signal: options.signal,
    waiting: (what, seen, leftMs) => progress.waiting(what, seen, leftMs),
    log: (line) => {
      log.push(record.stamped(line));
      progress.line(line);
    },
  };
}

async function bringUp({ scenario, options, record, progress, step }: Play): Promise<void> {
  if ((await options.lab.status()) !== null) {
    throw new EnvironmentError(
      "Cannot start the run: it needs a lab of its own, but somebody has started this one meanwhile",
    );
  }
  await options.lab.up({
    keepTelemetry: options.keepTelemetry,
    signal: options.signal,
    onProgress: (line) => progress.line(line),
  });
  record.event("up");
  record.phase = "baseline";
  await proveBaseline(step, scenario.deadlines.baselineMs);
  record.event("baseline");
  await options.onHealthy?.();
}

async function breakAndWait(play: Play): Promise<void> {
  const { scenario, options, record, step, rule } = play;
  const context = faultContext(play, record.injectLog);
  record.phase = "inject";
  await mark(play, "fault", `${scenario.fault.kind} injected`);
  record.event("inject");
  const { injectMs, signatureMs } = scenario.deadlines;
  record.healer = await within(`injecting ${scenario.fault.kind}`, injectMs, () =>
    scenario.fault.inject(context),
  );
  await prove(step, "the fault in force", injectMs, () => scenario.fault.probe(context));
  record.phase = "signature and alert";
  // The alert may turn pending before the signature holds; watching both at once misses neither time.
  const failed = new AbortController();
  const watched = { ...step, signal: AbortSignal.any([step.signal, failed.signal]) };
  const signatureHolds = async (): Promise<void> => {
    await proveSignature(play, signatureMs, watched);
    record.event("signature");
  };
  const both = Promise.all([
    proveAlert(watched, scenario, rule, () => record.event("alert-pending")),
    signatureHolds(),
  ]);
  // When one of them gives up, the other has nothing to wait for any more.
  both.catch((error: unknown) => failed.abort(error));
  const [fired] = await both;
  record.event("alert-firing");
  record.alert = alertPayload(scenario.alertTemplate, fired, rule);
  mustNotGiveAway("The alert", JSON.stringify(withoutScenario(record.alert)), scenario);
  await options.onFiring?.();
}

async function proveSignature(
  { scenario, options, prometheus }: Play,
  deadlineMs: number,
  step: StepContext,
): Promise<void> {
  await prove(step, `the signature: ${scenario.signature.describe}`, deadlineMs, () =>
    scenario.signature.holds({ lab: options.lab, prometheus }),
  );
}

async function mark({ options, progress }: Play, kind: MarkerKind, text: string): Promise<void> {
  const problem = await postMarker(options.lab, kind, text);
  if (problem !== undefined) progress.line(`no marker on the console: ${problem}`);
}

async function heal(play: Play): Promise<void> {
  const { scenario, record } = play;
  record.phase = "heal";
  const { healer } = record;
  if (healer === undefined) throw new Error("Nothing was injected that could be healed");
  const { log } = faultContext(play, record.cleanupLog);
  await within(`healing ${scenario.fault.kind}`, scenario.deadlines.healMs, () => healer(log));
  await mark(play, "cleanup", `${scenario.fault.kind} healed`);
  record.event("heal");
}

async function healBefore(play: Play): Promise<void> {
  const { scenario, record, step, rule } = play;
  if (scenario.investigate === "while-firing") return;
  await heal(play);
  if (scenario.investigate === "after-heal") return;
  await proveResolved(step, scenario, rule);
  record.event("alert-resolved");
  await proveRecovery(step, scenario.deadlines.recoveryMs, () => record.secondsSince("heal"));
}

async function recover(play: Play): Promise<void> {
  const { scenario, record, step, rule } = play;
  if (scenario.investigate === "while-firing") {
    record.phase = "signature-after";
    await proveSignature(play, scenario.deadlines.signatureAfterMs, step);
    record.event("signature-after");
    await heal(play);
  }
  record.phase = "recovery";
  await proveResolved(step, scenario, rule);
  record.event("alert-resolved");
  await proveRecovery(step, scenario.deadlines.recoveryMs, () => record.secondsSince("heal"));
  record.event("recovered");
  record.metricPoints = await metricPoints(play);
}

/** Where an investigator finds the telemetry of a lab. */
export function urlsOf({ ports }: Lab): TelemetryUrls {
  return {
    grafana: `http://localhost:${ports.console}`,
    prometheus: `http://localhost:${ports.prometheus}`,
    loki: `http://localhost:${ports.loki}`,
    tempo: `http://localhost:${ports.tempo}`,
  };
}

async function investigateAll(play: Play): Promise<void> {
  const { options, record, progress, scenario } = play;
  record.phase = "investigate";
  const alert = record.alert;
  if (alert === null) throw new Error("No alert was recorded before the investigation");
  const clock = options.clock ?? systemClock;
  const urls = urlsOf(options.lab);
  for (const investigator of options.investigators) {
    const lines: string[] = [];
    const keep = (line: string): void => {
      lines.push(record.stamped(line));
      progress.line(line);
    };
    const transcript: Transcript = {
      phase: (phase, detail) => keep(detail === undefined ? phase : `${phase}: ${detail}`),
      note: (line) => keep(`  ${line}`),
    };
    progress.line(`investigator ${investigator.name}`);
    await mark(play, "investigation", `investigation by ${investigator.name}`);
    record.event("investigation-start");
    const startUnixMs = clock.nowMs();
    const investigation = await investigator.investigate({
      alert: withoutScenario(alert),
      urls,
      budget: options.budget,
      transcript,
      signal: options.signal,
      seed: options.seed,
    });
    const endUnixMs = clock.nowMs();
    options.signal.throwIfAborted();
    mustNotLeak(investigation.evidence, scenario);
    record.looks.push({
      investigator: investigator.name,
      investigation,
      startUnixMs,
      endUnixMs,
      transcript: lines,
    });
  }
  if (options.investigators.length > 0) {
    record.timeline.push({ name: "investigation-end", unixMs: clock.nowMs() });
  }
  progress.line(`${options.investigators.length} investigation(s) of ${scenario.name} ended`);
}

/** The metric that tells the run's story, from the lab's start until now, every two seconds. */
async function metricPoints({
  scenario,
  prometheus,
  record,
}: Play): Promise<readonly (readonly [number, number])[]> {
  const first = record.timeline[0]?.unixMs ?? 0;
  const last = record.timeline.at(-1)?.unixMs ?? first;
  const series = await prometheus.range(scenario.metric.query, first, last, 2);
  return (series[0]?.points ?? []).filter(([, value]) => Number.isFinite(value));
}
