/** Commands that run scenarios: one, all, and the merging of results. */
import { readFileSync } from "node:fs";
import { UsageError } from "../base/errors.ts";
import { ALERT_RULES_FILE, type AlertRule, parseAlertRules } from "../contract/alert-rules.ts";
import { createMcpInvestigator } from "../investigate/external/mcp.ts";
import type { Investigator } from "../investigate/investigator.ts";
import { createInvestigator } from "../investigate/registry.ts";
import type { Manifest } from "../score/run-record.ts";
import { withResults } from "../score/readme-table.ts";
import { renderReport, type ReportRun } from "../score/report/report.ts";
import { figuresTable, type Summary, summarize, summaryTable } from "../score/summary.ts";
import { loadAllScenarios, loadScenario, type Scenario } from "../../scenarios/load.ts";
import { checkResultsFolder, readManifests, readRun, writeText } from "./artefacts.ts";
import { runCampaign, runsFolder } from "./campaign.ts";
import type { McpRunOptions, RunOptions } from "./command-line.ts";
import type { CommandContext } from "./context.ts";
import { createProgress } from "./progress.ts";
import { table } from "./table.ts";
import { versions } from "./versions.ts";

const ROOT = new URL("../..", import.meta.url).pathname;
const EXIT_INVALID = 2;
const EXIT_DEFECT = 3;
const EXIT_BELOW_MIN_SCORE = 4;

/** The rules of the one provisioning file. */
export function readRules(): AlertRule[] {
  return parseAlertRules(readFileSync(`${ROOT}/${ALERT_RULES_FILE}`, "utf8"));
}

async function chosen(name: string | undefined, all: boolean): Promise<Scenario[]> {
  if (name !== undefined && all) {
    throw new UsageError(`Cannot run ${name} and --all: it must be one of the two`);
  }
  if (name !== undefined) return [await loadScenario(name)];
  if (all) return loadAllScenarios();
  throw new UsageError("Cannot run: a scenario or --all must be given; --help lists the commands");
}

/** Runs what was chosen with the investigators that were named. */
export async function run(
  context: CommandContext,
  name: string | undefined,
  options: RunOptions,
): Promise<number> {
  const names = options.investigator.length === 0 ? ["baseline"] : options.investigator;
  const investigators = [...new Set(names)].map(createInvestigator);
  return runWith(context, investigators, name, options);
}

/** Runs one scenario for whoever connects over the Model Context Protocol. */
export function examine(
  context: CommandContext,
  name: string,
  { port, minutes, ...options }: McpRunOptions,
): Promise<number> {
  const investigator = createMcpInvestigator({ port, wallMs: minutes * 60_000 });
  return runWith(context, [investigator], name, options);
}

/** Runs what was chosen, keeps it, and restores the lab that was up before. */
async function runWith(
  context: CommandContext,
  investigators: readonly Investigator[],
  name: string | undefined,
  options: RunOptions,
): Promise<number> {
  const scenarios = await chosen(name, options.all);
  const own = { engine: options.engine, index: options.lab, lifetime: "until-down" as const };
  const before = context.createLab(own);
  const wasUp = (await before.status()) !== null;
  if (wasUp) await before.down();
  // A single scenario is meant to run now, not to be taken from an earlier run.
  const again = options.again || name !== undefined;
  try {
    const manifests = await runCampaign(context, {
      scenarios,
      investigators,
      rules: readRules(),
      options: { ...options, again },
      versions: await versions(),
    });
    return await conclude(context, manifests, options);
  } finally {
    if (wasUp && !context.signal.aborted) {
      createProgress({}).line("starting the lab again that was up before");
      await before.up({ keepTelemetry: false });
    }
  }
}

/** Merges the runs of several results folders into one summary. */
export async function report(
  context: CommandContext,
  folders: readonly string[],
  { results, readme }: { readonly results: string; readonly readme: boolean },
): Promise<number> {
  const found = (await Promise.all(folders.map(readManifests))).flat();
  if (found.length === 0) {
    throw new UsageError(`Cannot report: no manifest.json is below ${folders.join(", ")}`);
  }
  const byId = new Map(found.map((run) => [run.manifest.run_id, run]));
  const summary = await writeSummary([...byId.values()], results);
  if (readme) {
    const path = `${ROOT}/README.md`;
    writeText(path, withResults(await Bun.file(path).text(), summary));
  }
  context.print(summaryTable(summary));
  return 0;
}

/** Writes summary.json, summary.md and report.html for these runs, each read from its folder. */
async function writeSummary(
  found: readonly { readonly path: string; readonly manifest: Manifest }[],
  results: string,
): Promise<Summary> {
  const summary = summarize(found.map(({ manifest }) => manifest));
  checkResultsFolder(results);
  writeText(`${results}/summary.json`, `${JSON.stringify(summary, null, 2)}\n`);
  writeText(
    `${results}/summary.md`,
    `# Results\n\n${summaryTable(summary)}\n\nMeans over the valid runs:\n\n${figuresTable(summary)}\n`,
  );
  const runs: ReportRun[] = [];
  for (const { path, manifest } of found) runs.push({ manifest, ...(await readRun(path)) });
  writeText(`${results}/report.html`, renderReport(summary, runs));
  return summary;
}

async function conclude(
  context: CommandContext,
  manifests: readonly Manifest[],
  options: RunOptions,
): Promise<number> {
  const summary = await writeSummary(
    await readManifests(runsFolder(options.results)),
    options.results,
  );
  if (options.json) context.print(JSON.stringify({ runs: manifests.map(brief), summary }, null, 2));
  else context.print(runsTable(manifests));
  return exitCodeOf(manifests, summary, options.minScore);
}

const brief = ({ scenario, investigator, repeat, outcome, score, diagnosis, cost }: Manifest) => ({
  scenario,
  investigator,
  repeat,
  outcome,
  diagnosis,
  points: score?.points ?? null,
  max: score?.max ?? null,
  correct: score?.correct ?? null,
  cost,
});

function runsTable(manifests: readonly Manifest[]): string {
  return table(
    [
      "scenario",
      "investigator",
      "run",
      "outcome",
      "diagnosis",
      "points",
      "confidence",
      "onset error",
      "time",
    ],
    manifests.map(({ scenario, investigator, repeat, outcome, score, diagnosis, cost }) => [
      scenario,
      investigator,
      String(repeat),
      outcome.kind === "environment-invalid" ? `invalid (${outcome.phase})` : outcome.kind,
      diagnosis === null ? "–" : `${diagnosis.culprit ?? "no service"}, ${diagnosis.fault_class}`,
      score === null ? "–" : `${score.points}/${score.max}`,
      score === null ? "–" : `${Math.round(score.confidence * 100)} %`,
      score?.onset_error_seconds === null || score === null
        ? "–"
        : `${score.onset_error_seconds} s`,
      cost === null ? "–" : `${(cost.wallMs / 1000).toFixed(1)} s`,
    ]),
  );
}

function exitCodeOf(
  manifests: readonly Manifest[],
  { groups }: Summary,
  minScore: number | undefined,
): number {
  if (manifests.some(({ outcome }) => outcome.kind === "harness-defect")) return EXIT_DEFECT;
  if (manifests.some(({ outcome }) => outcome.kind === "environment-invalid")) return EXIT_INVALID;
  const below = groups.some(({ share }) => minScore !== undefined && share.mean < minScore);
  return below ? EXIT_BELOW_MIN_SCORE : 0;
}
