/**
 * One incident: a healthy lab, a proven fault, an alert that fires, and a proven recovery. While
 * the alert fires (or at the time that a control sets), the incident is frozen for later
 * examination; in live mode, investigators examine the lab one after the other.
 */
import { type MonotonicClock, systemClock } from "../base/clock.ts";
import {
  CancelledError,
  EnvironmentError,
  isDiskFull,
  messageOf,
  UnfitMachineError,
  UserFacingError,
} from "../base/errors.ts";
import { createPrometheusClient } from "../base/prometheus.ts";
import { type Alert, withoutScenario } from "../contract/alert.ts";
import type { AlertRule } from "../contract/alert-rules.ts";
import type { Budget, Investigator, TelemetryUrls } from "../investigate/investigator.ts";
import { freezeIncident, type FreezeOptions, type FrozenIncident } from "../incident/freeze.ts";
import { unpackedTexts } from "../incident/unpacked-texts.ts";
import type { Lab, ServiceState } from "../lab/lab.ts";
import type { Outcome } from "../score/run-record.ts";
import type { Scenario } from "../../scenarios/load.ts";
import { alertPayload } from "./alert-payload.ts";
import { proveHarmless, type BenignChange } from "./benign.ts";
import { ClockWatch } from "./clock-watch.ts";
import { diskFull } from "./disk-full.ts";
import { couldWrite, examine, type Look } from "./examine.ts";
import { Injection } from "./injection.ts";
import { Journal, type TimelineEvent } from "./journal.ts";
import { leaksIn, mustNotGiveAway, recordingSecretsOf } from "./leaks.ts";
import { type MarkerKind, postMarker } from "./markers.ts";
import type { Progress } from "./progress.ts";
import { LiveRemedies } from "./remedy/live.ts";
import { servicesOf } from "./remedy/remedy-session.ts";
import {
  type AcceptedAlert,
  prove,
  proveAlert,
  proveBaseline,
  proveRecovery,
  proveResolved,
  type StepContext,
} from "./steps.ts";

export interface Incident {
  readonly scenario: Scenario;
  readonly outcome: Outcome;
  readonly timeline: readonly TimelineEvent[];
  /** The alert that investigators get; null when none fired. */
  readonly alert: Alert | null;
  readonly looks: readonly Look[];
  /** The frozen data; null for a live run, and when the run failed before. */
  readonly frozen: FrozenIncident | null;
  /** The same fault, frozen LATER_FREEZE_SECONDS after that; null unless it was asked for. */
  readonly frozenLater: FrozenIncident | null;
  readonly metricPoints: readonly (readonly [number, number])[];
  readonly injectLog: readonly string[];
  readonly cleanupLog: readonly string[];
  readonly runLog: readonly string[];
}

/** What a recording needs besides the incident. */
export interface FreezeSettings {
  readonly rulesText: string;
  readonly versions: FreezeOptions["versions"];
  /** Seed of the targets' positions and the sensors' noise. */
  readonly fleetSeed: number;
  /** Freeze a fault that is in force a second time, LATER_FREEZE_SECONDS after the first. */
  readonly later?: boolean | undefined;
}

/** Seconds of telemetry between the first freeze of a fault and the second. */
export const LATER_FREEZE_SECONDS = 120;

export interface IncidentOptions {
  readonly lab: Lab;
  readonly rules: readonly AlertRule[];
  /** Examine the lab itself. */
  readonly investigators: readonly Investigator[];
  /** Set: the incident is frozen. */
  readonly freeze?: FreezeSettings | undefined;
  readonly budget: Budget;
  readonly seed: number;
  readonly keepTelemetry: boolean;
  /** A harmless change before the fault. */
  readonly benign?: BenignChange | undefined;
  readonly signal: AbortSignal;
  /** Shows the run to a person; the incident keeps its own log. */
  readonly progress: Progress;
  readonly clock?: MonotonicClock;
  /** Called after the proof of the baseline, and after the alert has fired. */
  readonly onHealthy?: (() => Promise<void>) | undefined;
  readonly onFiring?: ((alert: Alert) => Promise<void>) | undefined;
  /** Time from the proof of a healthy system to the injection. */
  readonly onsetMs?: number | undefined;
}

/**
 * Runs one incident from an empty machine to an empty machine.
 *
 * Failures of the environment or of an investigator are in the outcome and never thrown. Throws
 * CancelledError when the signal is aborted, EnvironmentError when the disk is full (then no other
 * incident can be kept either), and UnfitMachineError where no attempt can start a lab. In every
 * case, the fault is healed first, and then the lab is taken down.
 */
export async function runIncident(scenario: Scenario, options: IncidentOptions): Promise<Incident> {
  using watch = new ClockWatch(options.clock ?? systemClock);
  const play = createPlay(scenario, options, watch);
  const { journal, progress } = play;
  let outcome: Outcome = { kind: "valid" };
  try {
    progress.line(`scenario ${scenario.name}: ${scenario.title}`);
    await bringUp(play);
    await breakAndWait(play);
    await healBefore(play);
    // Both, to compare a live examination with its recording.
    if (options.freeze === undefined || options.investigators.length > 0) await examineAll(play);
    if (options.freeze !== undefined) await freeze(play, options.freeze);
    await recover(play);
    const jumped = watch.look();
    if (jumped !== undefined) throw jumped;
  } catch (error) {
    if (options.signal.aborted) {
      throw new CancelledError("Stopped; the lab has been taken down", { cause: error });
    }
    if (isDiskFull(error)) throw diskFull(error);
    if (error instanceof UnfitMachineError) throw error;
    // A clock jump can make any step fail, so it is reported as the cause.
    const cause = watch.look() ?? error;
    outcome = outcomeOf(cause, journal.phase);
    progress.line(`failed in phase ${journal.phase}: ${messageOf(cause)}`);
  } finally {
    progress.settle();
    if (await play.injection.end()) journal.event("heal");
    // A lab that failed to come up has cleaned up, or belongs to another program.
    if (journal.has("up")) await options.lab.down();
  }
  const { timeline, injectLog, cleanupLog, runLog } = journal;
  const { alert, looks, frozen, frozenLater, metricPoints } = play;
  const found = { alert, looks, frozen, frozenLater, metricPoints };
  return { scenario, outcome, timeline, ...found, injectLog, cleanupLog, runLog };
}

function outcomeOf(error: unknown, phase: string): Outcome {
  return error instanceof UserFacingError
    ? { kind: "environment-invalid", phase, reason: error.message }
    : {
        kind: "harness-defect",
        reason: `${phase}: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`,
      };
}

/** State shared by the steps of one incident. */
interface Play {
  readonly scenario: Scenario;
  readonly options: IncidentOptions;
  readonly clock: MonotonicClock;
  readonly journal: Journal;
  readonly progress: Progress;
  readonly step: StepContext;
  readonly injection: Injection;
  /** All services when the system was healthy. */
  healthy: readonly ServiceState[];
  alert: Alert | null;
  looks: Look[];
  frozen: FrozenIncident | null;
  frozenLater: FrozenIncident | null;
  metricPoints: Incident["metricPoints"];
}

function createPlay(scenario: Scenario, options: IncidentOptions, watch: ClockWatch): Play {
  const { lab, clock = systemClock } = options;
  const signal = AbortSignal.any([options.signal, watch.signal]);
  const prometheus = createPrometheusClient(`http://localhost:${lab.ports.prometheus}`);
  const journal = new Journal(clock);
  const progress: Progress = {
    ...options.progress,
    line: (text) => {
      journal.runLog.push(journal.stamped(text));
      options.progress.line(text);
    },
  };
  const logTo = (log: string[]) => (line: string) => {
    log.push(journal.stamped(line));
    progress.line(line);
  };
  const injection = new Injection({
    scenario,
    context: {
      lab,
      prometheus,
      signal,
      waiting: (what, seen, leftMs) => progress.waiting(what, seen, leftMs),
      log: logTo(journal.injectLog),
    },
    cleanupLog: logTo(journal.cleanupLog),
  });
  const step = { prometheus, progress, signal };
  const frozen = { frozen: null, frozenLater: null };
  const found = { healthy: [], alert: null, looks: [], ...frozen, metricPoints: [] };
  return { scenario, options, clock, journal, progress, step, injection, ...found };
}

/** The alerts that the scenario accepts, each with its rule. */
function acceptedAlerts({ scenario, options }: Play): AcceptedAlert[] {
  return scenario.alerts.map(({ uid, labels }) => {
    const rule = options.rules.find((each) => each.uid === uid);
    if (rule === undefined) throw new Error(`No alert rule has the uid ${uid}`);
    return { rule, labels };
  });
}

async function bringUp(play: Play): Promise<void> {
  const { scenario, options, clock, journal, progress, step } = play;
  if ((await options.lab.status()) !== null) {
    throw new EnvironmentError(
      "Cannot start the run: it needs a lab of its own, but somebody has started this one meanwhile",
    );
  }
  await options.lab.up({
    keepTelemetry: options.keepTelemetry,
    signal: options.signal,
    ...(options.freeze === undefined ? {} : { fleetSeed: options.freeze.fleetSeed }),
    onProgress: (line) => progress.line(line),
  });
  journal.event("up");
  journal.phase = "baseline";
  await proveBaseline(step, scenario.deadlines.baselineMs);
  if (options.benign !== undefined) {
    await proveHarmless(step, options.lab, options.benign, scenario.deadlines.baselineMs, clock);
  }
  journal.event("baseline");
  play.healthy = await servicesOf(options.lab);
  await options.onHealthy?.();
  if (options.onsetMs !== undefined) await clock.sleep(options.onsetMs, step.signal);
}

async function breakAndWait(play: Play): Promise<void> {
  const { scenario, options, journal, step, injection } = play;
  const accepted = acceptedAlerts(play);
  const { injectMs, signatureMs } = scenario.deadlines;
  journal.phase = "inject";
  await mark(play, "fault", `${scenario.fault.kind} injected`);
  journal.event("inject");
  await injection.inject();
  await prove(step, "the fault in force", injectMs, () => scenario.fault.probe(injection.context));
  journal.phase = "signature and alert";
  // The alert may become pending before the signature holds, so both are observed at once.
  const failed = new AbortController();
  const watched = { ...step, signal: AbortSignal.any([step.signal, failed.signal]) };
  const signatureHolds = async (): Promise<void> => {
    await proveSignature(play, signatureMs, watched);
    journal.event("signature");
  };
  const both = Promise.all([
    proveAlert(watched, scenario, accepted, () => journal.event("alert-pending")),
    signatureHolds(),
  ]);
  // When one wait fails, the other stops.
  both.catch((error: unknown) => failed.abort(error));
  const [{ fired, rule }] = await both;
  journal.event("alert-firing");
  play.alert = alertPayload(scenario.alertTemplate, fired, rule);
  mustNotGiveAway("The alert", JSON.stringify(withoutScenario(play.alert)), scenario);
  await options.onFiring?.(play.alert);
}

async function proveSignature(
  { scenario, options }: Play,
  deadlineMs: number,
  step: StepContext,
): Promise<void> {
  await prove(step, `the signature: ${scenario.signature.describe}`, deadlineMs, () =>
    scenario.signature.holds({ lab: options.lab, prometheus: step.prometheus }),
  );
}

/**
 * An alert may resolve by itself while its fault is still in force, so the signature is checked,
 * too.
 */
async function proveSignatureGone({ scenario, options, step }: Play): Promise<void> {
  const what = `the signature to be false again: ${scenario.signature.describe}`;
  await prove(step, what, scenario.deadlines.recoveryMs, async () => {
    const { prometheus } = step;
    const { ok, seen } = await scenario.signature.holds({ lab: options.lab, prometheus });
    return { ok: !ok, seen };
  });
}

async function mark({ options, progress }: Play, kind: MarkerKind, text: string): Promise<void> {
  const problem = await postMarker(options.lab, kind, text);
  if (problem !== undefined) progress.line(`no marker on the console: ${problem}`);
}

async function heal(play: Play): Promise<void> {
  const { scenario, journal, injection } = play;
  journal.phase = "heal";
  await injection.heal();
  await mark(play, "cleanup", `${scenario.fault.kind} healed`);
  journal.event("heal");
}

async function healBefore(play: Play): Promise<void> {
  const { scenario, journal, step } = play;
  if (scenario.investigate === "while-firing") return;
  await heal(play);
  if (scenario.investigate === "after-heal") return;
  await proveResolved(step, scenario, acceptedAlerts(play));
  journal.event("alert-resolved");
  await proveRecovery(step, scenario.deadlines.recoveryMs, () => journal.secondsSince("heal"));
}

async function recover(play: Play): Promise<void> {
  const { scenario, journal, step } = play;
  if (scenario.investigate === "while-firing") {
    journal.phase = "signature-after";
    await proveSignature(play, scenario.deadlines.signatureAfterMs, step);
    journal.event("signature-after");
    await heal(play);
  }
  journal.phase = "recovery";
  await proveResolved(step, scenario, acceptedAlerts(play));
  journal.event("alert-resolved");
  await proveRecovery(step, scenario.deadlines.recoveryMs, () => journal.secondsSince("heal"));
  journal.event("recovered");
  await proveSignatureGone(play);
  journal.event("signature-gone");
  play.metricPoints = await metricPoints(play);
}

/** The addresses of a lab's telemetry. */
export function urlsOf({ ports }: Lab): TelemetryUrls {
  return {
    grafana: `http://localhost:${ports.console}`,
    prometheus: `http://localhost:${ports.prometheus}`,
    loki: `http://localhost:${ports.loki}`,
    tempo: `http://localhost:${ports.tempo}`,
  };
}

async function examineAll(play: Play): Promise<void> {
  const { scenario, options, journal, progress, clock, alert } = play;
  const { lab, investigators, budget, seed, signal } = options;
  journal.phase = "investigate";
  if (alert === null) throw new Error("No alert was recorded before the investigation");
  const keep = (line: string): string => {
    progress.line(line);
    return journal.runLog.at(-1) ?? line;
  };
  const examination = { scenario, alert, urls: urlsOf(lab), budget, seed, signal, clock, keep };
  for (const investigator of investigators) {
    progress.line(`investigator ${investigator.name}`);
    await mark(play, "investigation", `investigation by ${investigator.name}`);
    journal.event("investigation-start");
    const actuator = await actuatorFor(play);
    const touched = play.looks.some(couldWrite);
    const look = await examine(investigator, { ...examination, actuator, touched });
    const repair = await actuator?.settle();
    play.looks.push(repair === undefined ? look : { ...look, repair });
    if (repair !== undefined) await proveBrokenAgain(play);
  }
  if (investigators.length > 0) journal.event("investigation-end");
  progress.line(`${investigators.length} investigation(s) of ${scenario.name} ended`);
}

/** Actions for a live investigator; a recorded system must stay unchanged. */
async function actuatorFor(play: Play): Promise<LiveRemedies | undefined> {
  const { scenario, options, healthy, progress, step, clock } = play;
  if (options.freeze !== undefined) return undefined;
  const { lab } = options;
  const { prometheus, signal } = step;
  return LiveRemedies.begin({ lab, prometheus, scenario, healthy, progress, signal, clock });
}

/** After an investigator's steps are undone, the next one must see the same incident. */
async function proveBrokenAgain(play: Play): Promise<void> {
  const { scenario, step } = play;
  if (scenario.investigate !== "while-firing") return;
  await proveSignature(play, scenario.deadlines.signatureMs, step);
  await proveAlert(step, scenario, acceptedAlerts(play), () => {});
}

/** Freezes the incident; a fault that is still in force a second time, when that is asked for. */
async function freeze(play: Play, settings: FreezeSettings): Promise<void> {
  const { scenario, options, journal, clock } = play;
  journal.phase = "freeze";
  play.frozen = await freezeNow(play, settings);
  journal.timeline.push({ name: "frozen", unixMs: play.frozen.facts.frozen_unix_ms });
  if (settings.later !== true || scenario.investigate !== "while-firing") return;
  await clock.sleep(LATER_FREEZE_SECONDS * 1000, options.signal);
  await proveSignature(play, scenario.deadlines.signatureAfterMs, play.step);
  play.frozenLater = await freezeNow(play, settings);
}

/** Freezes the lab's stored telemetry, and searches it for words that reveal the scenario. */
async function freezeNow(
  play: Play,
  { rulesText, versions, fleetSeed }: FreezeSettings,
): Promise<FrozenIncident> {
  const { scenario, options, progress, clock, alert } = play;
  if (alert === null) throw new Error("No alert was recorded before the freeze");
  const { lab, signal } = options;
  const frozen = await freezeIncident({ lab, alert, rulesText, versions, signal, clock });
  // A short number can occur anywhere by chance.
  const seeds = fleetSeed < 1e7 ? [] : [String(fleetSeed)];
  const secrets = [...recordingSecretsOf(scenario), ...seeds];
  for (const { where, text } of unpackedTexts(frozen.entries)) {
    const [leak] = leaksIn(text, secrets);
    if (leak !== undefined) throw new Error(`${where} gives the scenario away: it has "${leak}"`);
  }
  progress.line(`frozen at ${new Date(frozen.facts.frozen_unix_ms).toISOString()}`);
  return frozen;
}

/** The metric of the scenario over the whole run, every two seconds. */
async function metricPoints({ scenario, step, journal }: Play): Promise<Incident["metricPoints"]> {
  const first = journal.timeline[0]?.unixMs ?? 0;
  const last = journal.timeline.at(-1)?.unixMs ?? first;
  const series = await step.prometheus.range(scenario.metric.query, first, last, 2);
  return (series[0]?.points ?? []).filter(([, value]) => Number.isFinite(value));
}
