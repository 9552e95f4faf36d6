/** An experiment: one run of one scenario, or a campaign; its report, its summary and its labs. */
import { UsageError } from "../base/errors.ts";
import { freshSeed } from "../base/prng.ts";
import { whyNotRestored } from "../incident/programs.ts";
import type { Investigator } from "../investigate/investigator.ts";
import type { Manifest } from "../score/run-record.ts";
import { type Summary, summarize } from "../score/summary.ts";
import { loadAllScenarios, loadScenario, type Scenario } from "../../scenarios/load.ts";
import { readManifests } from "./artefacts.ts";
import { type CampaignSettings, recordAndExamine, runCampaign } from "./campaign.ts";
import type { RunContext } from "./context.ts";
import { type JobSettings, runJob } from "./job.ts";
import { type LabRange, type LabRequest, withOwnLabs } from "./labs.ts";
import { Pool } from "./pool.ts";
import { writeSummary } from "./report.ts";
import { readRules, readRulesText } from "./rules.ts";
import { removeRuns, runsFolder, withRunsLocked } from "./runs-folder.ts";
import { versions } from "./versions.ts";

export interface ExperimentRequest extends Omit<CampaignSettings, "labs"> {
  readonly labs: LabRequest;
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

/** Runs what was requested, stores it, and restores the labs that were up before. */
export async function runExperiment(
  context: RunContext,
  request: ExperimentRequest,
): Promise<ExperimentResult> {
  const scenarios = await chosenScenarios(request);
  const { investigators, keepTelemetry, results, shard } = request;
  const { engine } = request.labs;
  const obstacle = request.live ? undefined : whyNotRestored();
  const live = request.live || obstacle !== undefined;
  if (obstacle !== undefined) context.progress().line(`live: ${obstacle}`);
  const [only] = scenarios;
  const isSingle = request.scenario !== undefined && request.repeat === 1 && shard === undefined;
  const folder = isSingle ? `${results}/latest` : results;
  const manifests = await withRunsLocked(folder, shard, () =>
    withOwnLabs(context, request.labs, async (labs) => {
      const settings: JobSettings = {
        engine,
        keepTelemetry,
        rules: readRules(),
        rulesText: readRulesText(),
        versions: await versions(engine),
        folder,
        latest: results,
        first: investigators[0]?.name ?? "",
      };
      return isSingle && only !== undefined
        ? runSingle(context, settings, only, { ...request, labs, live })
        : runCampaign(context, settings, { ...request, labs, live, scenarios, investigators });
    }),
  );
  await writeSummary(await readManifests(runsFolder(folder)), folder);
  return { manifests, summary: summarize(manifests), folder };
}

/** The scenarios that a command names: one, or all. */
export async function chosenScenarios({
  scenario,
  all,
}: Pick<ExperimentRequest, "scenario" | "all">): Promise<Scenario[]> {
  if (scenario !== undefined && all) {
    throw new UsageError(`Cannot run ${scenario} and --all: it must be one of the two`);
  }
  if (scenario !== undefined) return [await loadScenario(scenario)];
  if (all) return loadAllScenarios();
  throw new UsageError("Cannot run: a scenario or --all must be given; --help lists the commands");
}

/** A request with its labs chosen. */
type OwnLabs<T> = Omit<T, "labs"> & { readonly labs: LabRange };

/** Runs one scenario once, and replaces the single run in the folder. */
async function runSingle(
  context: RunContext,
  settings: JobSettings,
  scenario: Scenario,
  { investigators, labs, live, seed = freshSeed() }: OwnLabs<ExperimentRequest>,
): Promise<Manifest[]> {
  removeRuns(settings.folder);
  context.progress().line(`seed ${seed}`);
  const shared = { scenario, repeat: 1, investigators, seed, prefix: "" };
  const job = { ...shared, labIndex: labs.first, earlier: [] };
  if (live) return runJob(context, settings, job);
  const manifests: Manifest[] = [];
  const pool = new Pool(labs.count);
  await recordAndExamine(context, settings, job, pool, manifests);
  await pool.done();
  return manifests.toSorted((a, b) => placeOf(a, investigators) - placeOf(b, investigators));
}

const placeOf = ({ investigator }: Manifest, investigators: readonly Investigator[]): number =>
  investigators.findIndex(({ name }) => name === investigator);
