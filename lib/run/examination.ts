/**
 * Examines recorded incidents: each pair of incident and investigator on its own restored incident,
 * stored immediately.
 */
import { systemClock } from "../base/clock.ts";
import {
  asError,
  CancelledError,
  EnvironmentError,
  isDiskFull,
  messageOf,
  UsageError,
} from "../base/errors.ts";
import { openBundle } from "../incident/bundle.ts";
import { restoreIncident } from "../incident/restore.ts";
import type { Investigator } from "../investigate/investigator.ts";
import type { Manifest } from "../score/run-record.ts";
import { loadScenario } from "../../scenarios/load.ts";
import { checkResultsFolder, fileNameOf, writeRun } from "./artefacts.ts";
import { ClockWatch } from "./clock-watch.ts";
import { diskFull } from "./disk-full.ts";
import type { RunContext } from "./context.ts";
import { examine, type Look } from "./examine.ts";
import type { Incident } from "./incident.ts";
import { BUDGET } from "./investigators.ts";
import { Journal } from "./journal.ts";
import { manifestOf } from "./manifest.ts";
import type { RecordedIncident } from "./recorded-incident.ts";
import { runsFolder } from "./runs-folder.ts";

export interface ExaminationSettings {
  readonly versions: Readonly<Record<string, string>>;
  /** The folder that gets `runs/<investigator>/<scenario>/<repeat>`. */
  readonly folder: string;
  /** The folder that gets `<scenario>`, the latest run by `first`. */
  readonly latest?: string;
  /** Name of the investigator whose runs are the latest. */
  readonly first?: string;
}

export interface ExaminationJob {
  readonly recorded: RecordedIncident;
  readonly investigator: Investigator;
  /** Starts each line of the progress. */
  readonly prefix: string;
  /**
   * Names the run's folder below the scenario's: the repeat of a campaign, or the incident's id.
   */
  readonly name: string;
}

/** Lets one investigator examine one incident, and stores the run. */
export async function examineRecorded(
  context: RunContext,
  settings: ExaminationSettings,
  { recorded, investigator, prefix, name }: ExaminationJob,
): Promise<Manifest> {
  const { recording, bundlePath } = recorded;
  checkResultsFolder(settings.folder);
  const scenario = await loadScenario(recording.scenario);
  const journal = new Journal(systemClock);
  const progress = context.progress(prefix);
  const keep = (line: string): string => {
    const stamped = journal.stamped(line);
    journal.runLog.push(stamped);
    progress.line(line);
    return stamped;
  };
  keep(`investigator ${investigator.name} examines incident ${recording.incident}`);
  let outcome = recording.outcome;
  let look: Look | undefined;
  let alert: Incident["alert"] = null;
  using watch = new ClockWatch(systemClock);
  try {
    await using restored = await restoreIncident(openBundle(bundlePath));
    alert = restored.alert;
    look = await examine(investigator, {
      scenario,
      alert,
      urls: restored.urls,
      budget: BUDGET,
      seed: recording.seed,
      signal: context.signal,
      clock: systemClock,
      telemetryClock: restored.clock,
      keep,
    });
    const jumped = watch.look();
    if (jumped !== undefined) throw jumped;
  } catch (error) {
    if (context.signal.aborted) throw new CancelledError("Stopped", { cause: error });
    if (isDiskFull(error)) throw diskFull(error);
    // An unusable bundle affects every examination; a busy machine only this one.
    if (error instanceof UsageError) throw error;
    outcome =
      error instanceof EnvironmentError
        ? {
            kind: "environment-invalid",
            phase: look === undefined ? "restore" : "investigate",
            reason: error.message,
          }
        : { kind: "harness-defect", reason: `investigate: ${asError(error).stack}` };
    keep(`failed: ${messageOf(error)}`);
  } finally {
    progress.settle();
  }
  const incident: Incident = {
    scenario,
    outcome,
    timeline: recording.timeline,
    alert,
    looks: look === undefined ? [] : [look],
    frozen: null,
    frozenLater: null,
    metricPoints: recording.metric_points,
    injectLog: recording.inject_log,
    cleanupLog: recording.cleanup_log,
    runLog: [...recording.run_log, ...journal.runLog],
  };
  return keepRun(settings, incident, look, investigator.name, recorded, name);
}

function keepRun(
  { folder, latest, first, versions }: ExaminationSettings,
  incident: Incident,
  look: Look | undefined,
  investigator: string,
  { recording }: RecordedIncident,
  name: string,
): Manifest {
  const { repeat, seed, engine, isolation, earlier } = recording;
  const manifest = manifestOf(incident, look, {
    investigator,
    repeat,
    incident: recording.incident,
    seed,
    engine,
    isolation,
    earlier,
    versions: { ...recording.versions, ...versions },
  });
  const { scenario } = recording;
  writeRun(
    `${runsFolder(folder)}/${fileNameOf(investigator)}/${scenario}/${name}`,
    incident,
    look,
    manifest,
  );
  if (latest !== undefined && first === investigator) {
    writeRun(`${latest}/${scenario}`, incident, look, manifest);
  }
  return manifest;
}
