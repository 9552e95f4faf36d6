/**
 * Writes the summary and the report of kept runs: merges several folders, and rescores on demand.
 */
import { existsSync } from "node:fs";
import { UsageError } from "../base/errors.ts";
import { withResults } from "../score/readme-table.ts";
import type { Manifest } from "../score/run-record.ts";
import { renderReport, type ReportRun } from "../score/report/report.ts";
import { RUBRIC_REMARK } from "../score/reference.ts";
import { type Summary, summarize } from "../score/summary.ts";
import {
  comparisonTable,
  detailsTable,
  ESTIMATE_METHOD,
  figuresTable,
  summaryTable,
} from "../score/tables.ts";
import { findScenario } from "../../scenarios/load.ts";
import {
  checkResultsFolder,
  type KeptRun,
  readManifests,
  readRun,
  rewriteScore,
  writeText,
} from "./artefacts.ts";
import { rescored } from "./manifest.ts";
import type { Progress } from "./progress.ts";
import { runsFolder } from "./runs-folder.ts";

const ROOT = new URL("../..", import.meta.url).pathname;

export interface MergeOptions {
  /** The folder for the merged summary and report. */
  readonly results: string;
  /** Also updates the table in the README. */
  readonly readme: boolean;
  /** Scores every run again by the current rubric. */
  readonly rescore: boolean;
}

/** Merges the runs of several results folders into one summary; returns its table. */
export async function mergeResults(
  folders: readonly string[],
  { results, readme, rescore }: MergeOptions,
  progress: Progress,
): Promise<string> {
  const byId = new Map<string, KeptRun>();
  for (const folder of folders) {
    const found = await runsIn(folder);
    if (found.length === 0) {
      throw new UsageError(`Cannot report: there must be runs below ${folder}, but there is none`);
    }
    for (const run of found) byId.set(run.manifest.run_id, run);
  }
  const kept = [...byId.values()];
  const found = rescore ? await Promise.all(kept.map((run) => scoreAnew(run, progress))) : kept;
  const summary = await writeSummary(found, results);
  if (readme) {
    const path = `${ROOT}/README.md`;
    writeText(path, withResults(await Bun.file(path).text(), summary));
  }
  return summaryTable(summary);
}

/** The runs of a results folder; if it has a campaign, only its runs, without copies beside it. */
function runsIn(folder: string): Promise<KeptRun[]> {
  const runs = runsFolder(folder);
  return readManifests(existsSync(runs) ? runs : folder);
}

/**
 * Scores a run by the current rubric and saves the score. Citations keep their points if the calls
 * were not kept; a run with a missing scenario is unchanged.
 */
async function scoreAnew(run: KeptRun, progress: Progress): Promise<KeptRun> {
  const { path, manifest } = run;
  const scenario = await findScenario(manifest.scenario);
  const { answer, evidence } = await readRun(path);
  const isUnrecorded = (answer?.evidence.length ?? 0) > 0 && evidence.length === 0;
  const fresh =
    scenario === undefined
      ? null
      : rescored(manifest, scenario.truth, answer, isUnrecorded ? null : evidence);
  if (isUnrecorded)
    progress.line(`kept what the citations of ${path} showed: their calls are gone`);
  if (fresh === null) {
    progress.line(`kept the score of ${path}: it cannot be computed again`);
    return run;
  }
  rewriteScore(path, fresh);
  return { path, manifest: fresh };
}

/** Writes summary.json, summary.md and report.html for these runs, each read from its folder. */
export async function writeSummary(
  found: readonly { readonly path: string; readonly manifest: Manifest }[],
  results: string,
): Promise<Summary> {
  const summary = summarize(found.map(({ manifest }) => manifest));
  checkResultsFolder(results);
  writeText(`${results}/summary.json`, `${JSON.stringify(summary, null, 2)}\n`);
  writeText(
    `${results}/summary.md`,
    [
      "# Results",
      summaryTable(summary),
      ESTIMATE_METHOD,
      RUBRIC_REMARK,
      "The score in its parts:",
      detailsTable(summary),
      "On the same incidents:",
      comparisonTable(summary),
      "Means over the valid runs:",
      `${figuresTable(summary)}\n`,
    ].join("\n\n"),
  );
  const runs: ReportRun[] = [];
  for (const { path, manifest } of found) runs.push({ manifest, ...(await readRun(path)) });
  writeText(`${results}/report.html`, renderReport(summary, runs));
  return summary;
}
