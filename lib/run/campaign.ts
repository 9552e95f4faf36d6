/**
 * A campaign: scenarios times repeats on several parallel labs, resumable after an interruption.
 * Incidents are recorded, and examined while the next ones are recorded; in live mode each lab
 * waits for its investigators.
 */
import { existsSync, linkSync, readFileSync, renameSync, rmSync } from "node:fs";
import { UsageError } from "../base/errors.ts";
import { createPrng, freshSeed } from "../base/prng.ts";
import type { Investigator } from "../investigate/investigator.ts";
import type { Manifest, Outcome } from "../score/run-record.ts";
import type { Scenario } from "../../scenarios/load.ts";
import { checkResultsFolder, readManifests, writeText } from "./artefacts.ts";
import type { RunContext } from "./context.ts";
import { examineRecorded } from "./examination.ts";
import { type JobSettings, keepInvalid, runJob } from "./job.ts";
import { type LabRange, sideBySide } from "./labs.ts";
import { Pool } from "./pool.ts";
import type { Progress } from "./progress.ts";
import { recordIncident, type Turn } from "./record.ts";
import { recordingsIn } from "./recorded-incident.ts";
import { bundlesFolder, ownPart, removeRuns, runsFolder, type Shard } from "./runs-folder.ts";

export interface CampaignSettings {
  readonly labs: LabRange;
  readonly repeat: number;
  readonly shard?: Shard | undefined;
  /** Seed of order and random choices; a new campaign without one draws it. */
  readonly seed?: number | undefined;
  /** Removes the campaign that the folder holds. */
  readonly again: boolean;
  /** Investigators examine the labs themselves. */
  readonly live: boolean;
}

export interface Campaign extends CampaignSettings {
  readonly scenarios: readonly Scenario[];
  readonly investigators: readonly Investigator[];
}

/** Runs the jobs that are left; returns the manifests of all requested jobs of this machine. */
export async function runCampaign(
  context: RunContext,
  settings: JobSettings,
  campaign: Campaign,
): Promise<Manifest[]> {
  const { labs, investigators } = campaign;
  const progress = context.progress();
  const { seed, found } = await resume(settings, campaign, progress);
  const kept = found.filter(({ outcome }) => outcome.kind === "valid");
  const turns = turnsOf(campaign, seed);
  const keyOf = (scenario: string, repeat: number, investigator: string): string =>
    JSON.stringify([scenario, repeat, investigator]);
  const wanted = new Set(
    turns.flatMap(({ scenario, repeat }) =>
      investigators.map(({ name }) => keyOf(scenario.name, repeat, name)),
    ),
  );
  const manifests = kept.filter(({ scenario, repeat, investigator }) =>
    wanted.has(keyOf(scenario, repeat, investigator)),
  );
  const done = new Set(
    manifests.map(({ scenario, repeat, investigator }) => keyOf(scenario, repeat, investigator)),
  );
  const leftOf = ({ scenario, repeat }: Turn): Investigator[] =>
    investigators.filter(({ name }) => !done.has(keyOf(scenario.name, repeat, name)));
  const queue = turns.filter((turn) => leftOf(turn).length > 0);
  const before = turns.length - queue.length;
  progress.line(
    `seed ${seed}: ${queue.length} incident(s) to go${before === 0 ? "" : `, ${before} kept from before (--again starts over)`}`,
  );
  const startedMs = performance.now();
  let oneByOneMs = 0;
  const pool = new Pool(labs.count);
  await sideBySide(labs, queue, async (turn, labIndex) => {
    const { scenario, repeat } = turn;
    const prefix = labs.count > 1 || !campaign.live ? `[${scenario.name} ${repeat}] ` : "";
    const jobStartedMs = performance.now();
    const earlier = earlierOf(found, turn);
    const job = { ...turn, investigators: leftOf(turn), seed, labIndex, prefix, earlier };
    if (campaign.live) manifests.push(...(await runJob(context, settings, job)));
    else await recordAndExamine(context, settings, job, pool, manifests);
    oneByOneMs += performance.now() - jobStartedMs;
  });
  await pool.done();
  progress.line(
    `took ${inMinutes(performance.now() - startedMs)}; one after the other it would have been ${inMinutes(oneByOneMs)}`,
  );
  return manifests;
}

type Job = Parameters<typeof runJob>[2];

/** Records an incident, unless a recording exists, and adds its examinations to the pool. */
export async function recordAndExamine(
  context: RunContext,
  settings: JobSettings,
  job: Job,
  pool: Pool,
  manifests: Manifest[],
): Promise<void> {
  const { scenario, repeat, investigators, prefix } = job;
  const bundles = bundlesFolder(settings.folder);
  const before = recordingsIn(bundles).find(
    ({ recording }) => recording.scenario === scenario.name && recording.repeat === repeat,
  );
  const result =
    before === undefined
      ? await recordIncident(context, { ...settings, bundles }, job)
      : { kind: "recorded" as const, recorded: before, later: undefined };
  if (result.kind === "invalid") {
    manifests.push(...keepInvalid(result, settings, job));
    return;
  }
  for (const investigator of investigators) {
    pool.add(async () => {
      const { recorded } = result;
      const examination = { recorded, investigator, prefix, name: String(repeat) };
      manifests.push(await examineRecorded(context, settings, examination));
    });
  }
}

/** The outcomes of earlier attempts at a turn, from its stored invalid runs. */
function earlierOf(found: readonly Manifest[], { scenario, repeat }: Turn): Outcome[] {
  const invalid = found.find(
    (one) =>
      one.scenario === scenario.name && one.repeat === repeat && one.outcome.kind !== "valid",
  );
  if (invalid === undefined) return [];
  const tries = invalid.earlier_attempts.map(({ phase, reason }): Outcome => ({
    kind: "environment-invalid",
    phase,
    reason,
  }));
  return [...tries, invalid.outcome];
}

const inMinutes = (ms: number): string => {
  const seconds = Math.round(ms / 1000);
  return `${Math.floor(seconds / 60)} min ${seconds % 60} s`;
};

/**
 * This shard's turns, in an order from the seed. The assignment of turns to shards does not depend
 * on the seed, so machines need not have the same one.
 */
function turnsOf({ scenarios, repeat, shard }: Campaign, seed: number): Turn[] {
  const turns = scenarios.flatMap((scenario) =>
    Array.from({ length: repeat }, (_, i) => ({ scenario, repeat: i + 1 })),
  );
  const prng = createPrng(seed).child("order");
  const keyed = ownPart(turns, shard).map((turn) => ({ turn, key: prng.next() }));
  return keyed.toSorted((a, b) => a.key - b.key).map(({ turn }) => turn);
}

/**
 * Settings that all runs of a campaign share; scenarios, investigators and repeats can be added
 * later.
 */
interface SharedSettings {
  readonly engine: string;
  readonly isolation: Manifest["isolation"];
}

/**
 * Returns the seed and the runs of the campaign in the folder, or starts a new one. Throws
 * UsageError when the existing campaign has other settings; only `again` removes it.
 */
async function resume(
  { engine, keepTelemetry, folder: results }: JobSettings,
  campaign: Campaign,
  progress: Progress,
): Promise<{ seed: number; found: Manifest[] }> {
  const folder = runsFolder(results);
  const file = `${folder}/campaign.json`;
  if (campaign.again) removeRuns(results);
  checkResultsFolder(folder);
  const settings: SharedSettings = {
    engine,
    isolation: keepTelemetry ? "keep-telemetry" : "fresh",
  };
  const before =
    readCampaign(file, progress) ??
    beginCampaign(file, { settings, seed: campaign.seed ?? freshSeed() }, progress);
  const differs = [
    before.settings.engine === settings.engine ? [] : [`engine ${before.settings.engine}`],
    before.settings.isolation === settings.isolation ? [] : [before.settings.isolation],
    campaign.seed === undefined || campaign.seed === before.seed ? [] : [`seed ${before.seed}`],
  ].flat();
  if (differs.length > 0) {
    throw new UsageError(
      `Cannot go on with the campaign in ${folder}: it must have the same settings, but it has ${differs.join(", ")}; choose another folder with --results, or remove it with --again`,
    );
  }
  const found = await readManifests(folder, (line) => progress.line(line));
  return { seed: before.seed, found: found.map(({ manifest }) => manifest) };
}

interface CampaignFile {
  readonly settings: SharedSettings;
  readonly seed: number;
}

/**
 * The existing campaign; undefined when there is none, or when its file is damaged and was renamed.
 */
function readCampaign(file: string, progress: Progress): CampaignFile | undefined {
  if (!existsSync(file)) return undefined;
  try {
    return JSON.parse(readFileSync(file, "utf8")) as CampaignFile;
  } catch {
    renameSync(file, `${file}.torn`);
    progress.line(`${file} was torn and is set aside as ${file}.torn: a new seed is drawn`);
    return undefined;
  }
}

/** Writes the campaign's file, unless another shard has just done so. */
function beginCampaign(file: string, campaign: CampaignFile, progress: Progress): CampaignFile {
  const fresh = `${file}.${process.pid}.partial`;
  writeText(fresh, `${JSON.stringify(campaign, null, 2)}\n`);
  try {
    linkSync(fresh, file);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
  } finally {
    rmSync(fresh, { force: true });
  }
  return readCampaign(file, progress) ?? campaign;
}
