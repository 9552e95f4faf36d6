/** Examines recorded bundles, without a lab, root or DDS. */
import type { Investigator } from "../investigate/investigator.ts";
import { mustHavePrometheus } from "../incident/programs.ts";
import type { Manifest } from "../score/run-record.ts";
import { summarize } from "../score/summary.ts";
import { readManifests } from "./artefacts.ts";
import type { RunContext } from "./context.ts";
import { examineRecorded } from "./examination.ts";
import type { ExperimentResult } from "./experiment.ts";
import { Pool } from "./pool.ts";
import { bundlesIn, readRecording, type RecordedIncident } from "./recorded-incident.ts";
import { writeSummary } from "./report.ts";
import { ownPart, runsFolder, type Shard, withRunsLocked } from "./runs-folder.ts";
import { projectVersions } from "./versions.ts";

export interface ExamineRequest {
  /** Bundles, and folders of bundles. */
  readonly paths: readonly string[];
  readonly investigators: readonly Investigator[];
  /** Number of parallel examinations. */
  readonly parallel: number;
  readonly shard?: Shard | undefined;
  /** Examines again what the folder holds. */
  readonly again: boolean;
  readonly results: string;
}

/**
 * Runs the examinations that are not in the folder yet; returns the manifests of all requested ones
 * of this machine.
 */
export async function examineIncidents(
  context: RunContext,
  request: ExamineRequest,
): Promise<ExperimentResult> {
  const { investigators, results, shard } = request;
  const incidents = bundlesIn(request.paths).map(readRecording);
  const prometheus = await mustHavePrometheus();
  const versions = { ...(await projectVersions()), examined_with_prometheus: prometheus };
  const pairs = incidents.flatMap((recorded) =>
    investigators.map((investigator) => ({ recorded, investigator })),
  );
  const manifests = await withRunsLocked(results, shard, () =>
    examineAll(context, request, ownPart(pairs, shard), versions),
  );
  await writeSummary(await readManifests(runsFolder(results)), results);
  return { manifests, summary: summarize(manifests), folder: results };
}

interface Pair {
  readonly recorded: RecordedIncident;
  readonly investigator: Investigator;
}

const keyOf = (incident: string | null, investigator: string): string =>
  `${incident} ${investigator}`;

async function examineAll(
  context: RunContext,
  { again, results, parallel }: ExamineRequest,
  pairs: readonly Pair[],
  versions: Readonly<Record<string, string>>,
): Promise<Manifest[]> {
  const progress = context.progress();
  const found = await readManifests(runsFolder(results), (line) => progress.line(line));
  const done = new Map(
    found
      .filter(({ manifest }) => !again && manifest.outcome.kind === "valid")
      .map(({ manifest }) => [keyOf(manifest.incident, manifest.investigator), manifest]),
  );
  const manifests: Manifest[] = [];
  const pool = new Pool(parallel);
  for (const { recorded, investigator } of pairs) {
    const { incident } = recorded.recording;
    const kept = done.get(keyOf(incident, investigator.name));
    if (kept !== undefined) {
      manifests.push(kept);
      continue;
    }
    // Until it is examined, no output names the scenario.
    const prefix = `[${incident} ${investigator.name}] `;
    const job = { recorded, investigator, prefix, name: incident };
    pool.add(async () => {
      context.signal.throwIfAborted();
      manifests.push(await examineRecorded(context, { versions, folder: results }, job));
    });
  }
  progress.line(
    `${pairs.length - manifests.length} examination(s) to go${manifests.length === 0 ? "" : `, ${manifests.length} kept from before (--again repeats them)`}`,
  );
  const startedMs = performance.now();
  await pool.done();
  progress.line(`took ${((performance.now() - startedMs) / 1000).toFixed(1)} s`);
  return manifests;
}
