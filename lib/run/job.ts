/**
 * One live incident of an experiment, with another attempt when the environment fails, and its runs
 * on disk.
 */
import type { Investigator } from "../investigate/investigator.ts";
import type { Manifest, Outcome } from "../score/run-record.ts";
import { fileNameOf, writeRun } from "./artefacts.ts";
import { untilValid } from "./attempts.ts";
import { benignChange } from "./benign.ts";
import type { RunContext } from "./context.ts";
import { type Incident, runIncident } from "./incident.ts";
import { BUDGET } from "./investigators.ts";
import { manifestOf, type RunIdentity } from "./manifest.ts";
import { type RecordJob, type RecordResult, type RecordSettings, seedOf } from "./record.ts";
import { runsFolder } from "./runs-folder.ts";

/** What all jobs of an experiment have in common. */
export interface JobSettings extends Omit<RecordSettings, "bundles"> {
  /** The folder that gets `runs/<investigator>/<scenario>/<repeat>`. */
  readonly folder: string;
  /** The folder that gets `<scenario>`, the latest run by the first investigator. */
  readonly latest: string;
  /** Name of that investigator. */
  readonly first: string;
}

export interface Job extends RecordJob {
  readonly investigators: readonly Investigator[];
}

/** Runs one job, writes a run per investigator, and returns the manifests. */
export async function runJob(
  context: RunContext,
  settings: JobSettings,
  job: Job,
): Promise<Manifest[]> {
  const { engine, keepTelemetry, rules } = settings;
  const progress = context.progress(job.prefix);
  const attempt = (): Promise<Incident> =>
    runIncident(job.scenario, {
      lab: context.createLab({ engine, index: job.labIndex, lifetime: "with-caller" }),
      rules,
      investigators: job.investigators,
      budget: BUDGET,
      seed: seedOf(job),
      keepTelemetry,
      benign: benignChange(seedOf(job), job.repeat, job.scenario),
      signal: context.signal,
      progress,
    });
  const { incident, earlier } = await untilValid(attempt, job.earlier, progress, settings.folder);
  return keep(incident, settings, job, earlier);
}

/** Stores an incident that could not be recorded as an invalid run of each investigator. */
export function keepInvalid(
  { incident, earlier }: Extract<RecordResult, { kind: "invalid" }>,
  settings: JobSettings,
  job: Job,
): Manifest[] {
  return keep(incident, settings, job, earlier);
}

function keep(
  incident: Incident,
  settings: JobSettings,
  job: Job,
  earlier: readonly Outcome[],
): Manifest[] {
  const { folder, latest, first, engine, keepTelemetry, versions } = settings;
  const { investigators, repeat } = job;
  const identity: Omit<RunIdentity, "investigator"> = {
    repeat,
    incident: null,
    seed: seedOf(job),
    engine,
    isolation: keepTelemetry ? "keep-telemetry" : "fresh",
    earlier,
    versions,
  };
  const { name: scenario } = incident.scenario;
  return investigators.map(({ name: investigator }) => {
    const look = incident.looks.find((one) => one.investigator === investigator);
    const manifest = manifestOf(incident, look, { ...identity, investigator });
    const path = `${runsFolder(folder)}/${fileNameOf(investigator)}/${scenario}/${repeat}`;
    writeRun(path, incident, look, manifest);
    if (investigator === first) writeRun(`${latest}/${scenario}`, incident, look, manifest);
    return manifest;
  });
}
