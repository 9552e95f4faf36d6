/** An experiment: one run of one scenario, or a campaign; its report, its summary and its labs. */
import { rmSync } from "node:fs";
import { UsageError } from "../base/errors.ts";
import { freshSeed } from "../base/prng.ts";
import type { Investigator } from "../investigate/investigator.ts";
import type { Manifest } from "../score/run-record.ts";
import { type Summary, summarize } from "../score/summary.ts";
import { loadAllScenarios, loadScenario, type Scenario } from "../../scenarios/load.ts";
import { checkResultsFolder, readManifests } from "./artefacts.ts";
import { type CampaignSettings, runCampaign } from "./campaign.ts";
import type { RunContext } from "./context.ts";
import { type JobSettings, runJob, runsFolder } from "./job.ts";
import { withOwnLabs } from "./labs.ts";
import { writeSummary } from "./report.ts";
import { readRules } from "./rules.ts";
import { versions } from "./versions.ts";

export interface ExperimentRequest extends CampaignSettings {
  /** Name of the one scenario. */
  readonly scenario?: string | undefined;
  /** Every scenario and control; excludes `scenario`. */
  readonly all: boolean;
  readonly investigators: readonly Investigator[];
  readonly keepTelemetry: boolean;
  /** The folder that gets everything. */
  readonly results: string;
}

export interface ExperimentResult {
  readonly manifests: readonly Manifest[];
  readonly summary: Summary;
  /** The folder with report.html and the summary. */
  readonly folder: string;
}

/** Runs what was requested, keeps it, and restores the labs that were up before. */
export async function runExperiment(
  context: RunContext,
  request: ExperimentRequest,
): Promise<ExperimentResult> {
  const scenarios = await chosen(request);
  const { investigators, keepTelemetry, labs, results } = request;
  const [only] = scenarios;
  const isSingle =
    request.scenario !== undefined && request.repeat === 1 && request.shard === undefined;
  const folder = isSingle ? `${results}/latest` : results;
  const manifests = await withOwnLabs(context, labs, async () => {
    const settings: JobSettings = {
      engine: labs.engine,
      keepTelemetry,
      rules: readRules(),
      versions: await versions(),
      folder,
      latest: results,
    };
    return isSingle && only !== undefined
      ? runSingle(context, settings, only, request)
      : runCampaign(context, settings, { ...request, scenarios, investigators });
  });
  await writeSummary(await readManifests(runsFolder(folder)), folder);
  return { manifests, summary: summarize(manifests), folder };
}

async function chosen({ scenario, all }: ExperimentRequest): Promise<Scenario[]> {
  if (scenario !== undefined && all) {
    throw new UsageError(`Cannot run ${scenario} and --all: it must be one of the two`);
  }
  if (scenario !== undefined) return [await loadScenario(scenario)];
  if (all) return loadAllScenarios();
  throw new UsageError("Cannot run: a scenario or --all must be given; --help lists the commands");
}

/** Runs one scenario once, in place of the single run that the folder holds. */
function runSingle(
  context: RunContext,
  settings: JobSettings,
  scenario: Scenario,
  { investigators, labs, seed = freshSeed() }: ExperimentRequest,
): Promise<Manifest[]> {
  checkResultsFolder(settings.folder);
  rmSync(runsFolder(settings.folder), { recursive: true, force: true });
  context.progress().line(`seed ${seed}`);
  const job = { scenario, repeat: 1, investigators, seed, labIndex: labs.first, prefix: "" };
  return runJob(context, settings, job);
}
