/**
 * Records incidents: a lab for each, frozen into a bundle, healed and proven, without waiting for a
 * model.
 */
import { createPrng } from "../base/prng.ts";
import type { Alert } from "../contract/alert.ts";
import type { AlertRule } from "../contract/alert-rules.ts";
import type { FrozenIncident } from "../incident/freeze.ts";
import type { Lab } from "../lab/lab.ts";
import type { Outcome } from "../score/run-record.ts";
import type { Scenario } from "../../scenarios/load.ts";
import { untilValid } from "./attempts.ts";
import { type BenignChange, benignChange } from "./benign.ts";
import type { RunContext } from "./context.ts";
import { type Incident, runIncident, urlsOf } from "./incident.ts";
import { BUDGET } from "./investigators.ts";
import { type Difficulty, difficultyOf, readChanges } from "./kinds/difficulty.ts";
import {
  type RecordedIncident,
  type Recording,
  sha256Of,
  writeRecordedIncident,
} from "./recorded-incident.ts";

/** Settings shared by all recordings of an experiment. */
export interface RecordSettings {
  readonly engine: string;
  readonly keepTelemetry: boolean;
  readonly rules: readonly AlertRule[];
  readonly rulesText: string;
  readonly versions: Readonly<Record<string, string>>;
  /** The folder that gets the bundles. */
  readonly bundles: string;
  /** Freeze each fault a second time, as an incident of its own with the same truth. */
  readonly later?: boolean | undefined;
}

/** One scenario, once. */
export interface Turn {
  readonly scenario: Scenario;
  readonly repeat: number;
}

export interface RecordJob extends Turn {
  /** Seed of the experiment; each recording derives its own. */
  readonly seed: number;
  readonly labIndex: number;
  /** Starts each line of the job's progress. */
  readonly prefix: string;
  /** Outcomes of attempts in earlier runs. */
  readonly earlier: readonly Outcome[];
  /** Time from the proof of a healthy system to the injection. */
  readonly onsetMs?: number | undefined;
  /** A fault without an alert is a result: it is not tried again. */
  readonly once?: boolean | undefined;
}

/** The result: a bundle on disk, or an invalid incident. */
export type RecordResult =
  | {
      readonly kind: "recorded";
      readonly recorded: RecordedIncident;
      readonly later: RecordedIncident | undefined;
      /** Uid of the alert that fired. */
      readonly alert: string | null;
    }
  | { readonly kind: "invalid"; readonly incident: Incident; readonly earlier: readonly Outcome[] };

/** A seed for each scenario and repeat, the same for the recording and all its examinations. */
export function seedOf({ scenario, repeat, seed }: Turn & { readonly seed: number }): number {
  const own = createPrng(seed).child(`${scenario.name} ${repeat}`);
  return Math.floor(own.next() * 2 ** 32);
}

async function measureDifficulty(
  lab: Lab,
  { truth, fault }: Scenario,
  benign: BenignChange | undefined,
  { pipeline_name: alerted }: Alert,
): Promise<Difficulty> {
  const facts = await readChanges(urlsOf(lab), truth);
  const harmless = (benign?.services.length ?? 0) + harmlessPartsOf(fault.kind);
  return difficultyOf({ facts, alerted, truth, benign: harmless });
}

/** Number of harmless parts of a composed fault. */
const harmlessPartsOf = (kind: string): number =>
  kind.split("+").filter((part) => part.startsWith("harmless-")).length;

/** Records one incident, with another try when the environment fails. */
export async function recordIncident(
  context: RunContext,
  settings: RecordSettings,
  job: RecordJob,
): Promise<RecordResult> {
  const { engine, keepTelemetry, rules, rulesText, versions, bundles } = settings;
  const seed = seedOf(job);
  const progress = context.progress(job.prefix);
  const { project = "", bun = "" } = versions;
  const benign = benignChange(seed, job.repeat, job.scenario);
  let difficulty: Difficulty | null = null;
  const attempt = (): Promise<Incident> => {
    const lab = context.createLab({ engine, index: job.labIndex, lifetime: "with-caller" });
    return runIncident(job.scenario, {
      lab,
      rules,
      investigators: [],
      freeze: {
        rulesText,
        versions: { project, bun },
        fleetSeed: seed,
        later: settings.later,
      },
      budget: BUDGET,
      seed,
      keepTelemetry,
      benign,
      onsetMs: job.onsetMs,
      signal: context.signal,
      progress,
      onFiring: async (alert) => {
        difficulty = await measureDifficulty(lab, job.scenario, benign, alert);
      },
    });
  };
  const tries = job.once === true ? 1 : undefined;
  const { incident, earlier } = await untilValid(attempt, job.earlier, progress, bundles, tries);
  const { frozen, frozenLater, outcome } = incident;
  if (outcome.kind !== "valid" || frozen === null) return { kind: "invalid", incident, earlier };
  const write = async (one: FrozenIncident, moment: Recording["moment"]) => {
    const bytes = await one.pack();
    const recorded = writeRecordedIncident(settings.bundles, bytes, {
      schema_version: 1,
      incident: one.facts.id,
      bundle_sha256: sha256Of(bytes),
      scenario: job.scenario.name,
      repeat: job.repeat,
      moment,
      seed,
      engine,
      isolation: keepTelemetry ? "keep-telemetry" : "fresh",
      versions: { ...versions, ...one.facts.versions },
      earlier: [...earlier],
      outcome,
      timeline: incident.timeline.map((event) =>
        event.name === "frozen" ? { ...event, unixMs: one.facts.frozen_unix_ms } : event,
      ),
      difficulty,
      metric_points: incident.metricPoints.map(([at, value]) => [at, value]),
      inject_log: [...incident.injectLog],
      cleanup_log: [...incident.cleanupLog],
      run_log: [...incident.runLog],
    });
    progress.line(`recorded ${recorded.bundlePath}: ${(bytes.length / 1e6).toFixed(2)} MB`);
    return recorded;
  };
  // The later one is written first, because the turn counts as recorded once the first one is on
  // disk.
  const later = frozenLater === null ? undefined : await write(frozenLater, "later");
  const alert = rules.find(({ title }) => title === incident.alert?.alert_name)?.uid ?? null;
  return { kind: "recorded", recorded: await write(frozen, "first"), later, alert };
}
