/** One incident of an experiment, tried again when the environment fails, and kept on disk. */
import { createPrng } from "../base/prng.ts";
import type { AlertRule } from "../contract/alert-rules.ts";
import type { Investigator } from "../investigate/investigator.ts";
import type { Manifest, Outcome } from "../score/run-record.ts";
import type { Scenario } from "../../scenarios/load.ts";
import { fileNameOf, writeRun } from "./artefacts.ts";
import type { RunContext } from "./context.ts";
import { type Incident, runIncident } from "./incident.ts";
import { BUDGET } from "./investigators.ts";
import { manifestOf, type RunIdentity } from "./manifest.ts";

/** How often an incident is tried when its environment fails. */
const MAX_ATTEMPTS = 2;

/** What all jobs of an experiment have in common. */
export interface JobSettings {
  readonly engine: string;
  readonly keepTelemetry: boolean;
  readonly rules: readonly AlertRule[];
  readonly versions: Readonly<Record<string, string>>;
  /** The folder that gets `runs/<investigator>/<scenario>/<repeat>`. */
  readonly folder: string;
  /** The folder that gets `<scenario>`, the latest run by the first investigator. */
  readonly latest: string;
}

export interface Job {
  readonly scenario: Scenario;
  readonly repeat: number;
  readonly investigators: readonly Investigator[];
  /** Seed of the experiment; each job derives its own. */
  readonly seed: number;
  readonly labIndex: number;
  /** Starts each line of the job's progress. */
  readonly prefix: string;
}

/** Where the runs of an experiment are kept, each in a folder of its own. */
export const runsFolder = (results: string): string => `${results}/runs`;

/** Runs one job, writes a run per investigator, and returns the manifests. */
export async function runJob(
  context: RunContext,
  settings: JobSettings,
  job: Job,
): Promise<Manifest[]> {
  const { engine, keepTelemetry, rules, versions } = settings;
  const seed = seedOf(job);
  const progress = context.progress(job.prefix);
  const attempt = (): Promise<Incident> =>
    runIncident(job.scenario, {
      lab: context.createLab({ engine, index: job.labIndex, lifetime: "with-caller" }),
      rules,
      investigators: job.investigators,
      budget: BUDGET,
      seed,
      keepTelemetry,
      signal: context.signal,
      progress,
    });
  const earlier: Outcome[] = [];
  let incident = await attempt();
  while (incident.outcome.kind === "environment-invalid" && earlier.length + 1 < MAX_ATTEMPTS) {
    const { phase, reason } = incident.outcome;
    progress.line(`trying once more: invalid in phase ${phase}: ${reason}`);
    earlier.push(incident.outcome);
    incident = await attempt();
  }
  const isolation = keepTelemetry ? "keep-telemetry" : "fresh";
  return keep(incident, settings, job, {
    repeat: job.repeat,
    seed,
    engine,
    isolation,
    earlier,
    versions,
  });
}

/** A seed for each scenario and repeat, the same for all investigators of the job. */
function seedOf({ scenario, repeat, seed }: Job): number {
  const own = createPrng(seed).child(`${scenario.name} ${repeat}`);
  return Math.floor(own.next() * 2 ** 32);
}

function keep(
  incident: Incident,
  { folder, latest }: JobSettings,
  { investigators, repeat }: Job,
  identity: Omit<RunIdentity, "investigator">,
): Manifest[] {
  const { name: scenario } = incident.scenario;
  return investigators.map(({ name: investigator }, i) => {
    const look = incident.looks.find((one) => one.investigator === investigator);
    const manifest = manifestOf(incident, look, { ...identity, investigator });
    const path = `${runsFolder(folder)}/${fileNameOf(investigator)}/${scenario}/${repeat}`;
    writeRun(path, incident, look, manifest);
    if (i === 0) writeRun(`${latest}/${scenario}`, incident, look, manifest);
    return manifest;
  });
}
