/** Commands that run scenarios: one, or all. */
import { readFileSync } from "node:fs";
import { EXIT_DEFECT, UsageError } from "../base/errors.ts";
import { ALERT_RULES_FILE, type AlertRule, parseAlertRules } from "../contract/alert-rules.ts";
import { createMcpInvestigator } from "../investigate/external/mcp.ts";
import type { Investigator } from "../investigate/investigator.ts";
import { createInvestigator } from "../investigate/registry.ts";
import type { Manifest, Outcome } from "../score/run-record.ts";
import { type Summary, summarize } from "../score/summary.ts";
import { loadAllScenarios, loadScenario, type Scenario } from "../../scenarios/load.ts";
import { readManifests } from "../run/artefacts.ts";
import { runCampaign, runsFolder } from "../run/campaign.ts";
import type { McpRunOptions, RunOptions } from "./command-line.ts";
import type { CommandContext } from "../run/context.ts";
import { withOwnLabs } from "../run/own-labs.ts";
import { writeSummary } from "./report-command.ts";
import { table } from "./table.ts";
import { versions } from "../run/versions.ts";

const ROOT = new URL("../..", import.meta.url).pathname;
const EXIT_INVALID = 2;
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

/** Runs what was chosen, keeps it, and restores the labs that were up before. */
async function runWith(
  context: CommandContext,
  investigators: readonly Investigator[],
  name: string | undefined,
  options: RunOptions,
): Promise<number> {
  const scenarios = await chosen(name, options.all);
  // One run of one scenario is meant to run now, and is no part of a campaign.
  const isSingle = name !== undefined && options.repeat === 1 && options.shard === undefined;
  const own = isSingle
    ? { ...options, again: true, results: `${options.results}/latest` }
    : options;
  const range = { engine: options.engine, first: options.lab, count: options.parallel };
  const manifests = await withOwnLabs(context, range, async () =>
    runCampaign(context, {
      scenarios,
      investigators,
      rules: readRules(),
      options: own,
      latest: options.results,
      versions: await versions(),
    }),
  );
  await writeSummary(await readManifests(runsFolder(own.results)), own.results);
  const summary = summarize(manifests);
  if (options.json) context.print(JSON.stringify({ runs: manifests.map(brief), summary }, null, 2));
  else context.print(`${runsTable(manifests)}\n\nreport: ${own.results}/report.html`);
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

/** The exit code of a command that ran these; no valid run counts as below any share that is asked for. */
export function exitCodeOf(
  manifests: readonly Pick<Manifest, "outcome">[],
  { groups }: Pick<Summary, "groups">,
  minScore: number | undefined,
): number {
  const exitCode = exitCodeOfOutcomes(manifests.map(({ outcome }) => outcome));
  if (exitCode !== 0) return exitCode;
  const below = groups.some(({ share }) => minScore !== undefined && !(share.mean >= minScore));
  return below ? EXIT_BELOW_MIN_SCORE : 0;
}

/** 0 when every run was valid; a defect of ours weighs more than an environment that failed. */
export function exitCodeOfOutcomes(outcomes: readonly Outcome[]): number {
  if (outcomes.some(({ kind }) => kind === "harness-defect")) return EXIT_DEFECT;
  return outcomes.some(({ kind }) => kind === "environment-invalid") ? EXIT_INVALID : 0;
}
