/**
 * A campaign: scenarios times repeats, several labs side by side, resumable after an interruption.
 */
import { existsSync, readFileSync, rmSync } from "node:fs";
import { UsageError } from "../base/errors.ts";
import { createPrng, freshSeed } from "../base/prng.ts";
import type { Investigator } from "../investigate/investigator.ts";
import type { Manifest } from "../score/run-record.ts";
import type { Scenario } from "../../scenarios/load.ts";
import { checkResultsFolder, readManifests, writeText } from "./artefacts.ts";
import type { RunContext } from "./context.ts";
import { type JobSettings, runJob, runsFolder } from "./job.ts";
import { type LabRange, sideBySide } from "./labs.ts";

/**
 * The part of a campaign that one machine runs: every `of`-th incident, from `index` (1 to `of`).
 */
export interface Shard {
  readonly index: number;
  readonly of: number;
}

export interface CampaignSettings {
  readonly labs: LabRange;
  readonly repeat: number;
  readonly shard?: Shard | undefined;
  /** Seed of order and chance; a new campaign without one draws it. */
  readonly seed?: number | undefined;
  /** Removes the campaign that the folder holds. */
  readonly again: boolean;
}

export interface Campaign extends CampaignSettings {
  readonly scenarios: readonly Scenario[];
  readonly investigators: readonly Investigator[];
}

/** One scenario, once. */
interface Turn {
  readonly scenario: Scenario;
  readonly repeat: number;
}

/** Runs what is still to do; returns the manifests of all that was asked of this machine. */
export async function runCampaign(
  context: RunContext,
  settings: JobSettings,
  campaign: Campaign,
): Promise<Manifest[]> {
  const { labs, investigators } = campaign;
  checkResultsFolder(settings.folder);
  const { seed, kept } = await resume(settings, campaign);
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
  const progress = context.progress();
  const before = turns.length - queue.length;
  progress.line(
    `seed ${seed}: ${queue.length} incident(s) to go${before === 0 ? "" : `, ${before} kept from before (--again begins anew)`}`,
  );
  const startedMs = performance.now();
  let oneByOneMs = 0;
  await sideBySide(labs, queue, async (turn, labIndex) => {
    const { scenario, repeat } = turn;
    const prefix = labs.count > 1 ? `[${scenario.name} ${repeat}] ` : "";
    const jobStartedMs = performance.now();
    const job = { ...turn, investigators: leftOf(turn), seed, labIndex, prefix };
    manifests.push(...(await runJob(context, settings, job)));
    oneByOneMs += performance.now() - jobStartedMs;
  });
  progress.line(
    `took ${inMinutes(performance.now() - startedMs)}; one after the other it would have been ${inMinutes(oneByOneMs)}`,
  );
  return manifests;
}

const inMinutes = (ms: number): string => {
  const seconds = Math.round(ms / 1000);
  return `${Math.floor(seconds / 60)} min ${seconds % 60} s`;
};

/**
 * This shard's turns, in an order that the seed decides. Which turns belong to a shard does not
 * depend on the seed, so that machines need not agree on one.
 */
function turnsOf({ scenarios, repeat, shard }: Campaign, seed: number): Turn[] {
  const turns = scenarios.flatMap((scenario) =>
    Array.from({ length: repeat }, (_, i) => ({ scenario, repeat: i + 1 })),
  );
  const own =
    shard === undefined ? turns : turns.filter((_, i) => i % shard.of === shard.index - 1);
  const prng = createPrng(seed).child("order");
  const keyed = own.map((turn) => ({ turn, key: prng.next() }));
  return keyed.toSorted((a, b) => a.key - b.key).map(({ turn }) => turn);
}

/** What all runs of a campaign share; scenarios, investigators and repeats may be added later. */
interface SharedSettings {
  readonly engine: string;
  readonly isolation: Manifest["isolation"];
}

/**
 * Returns the seed and the valid runs of the campaign that the folder holds, or begins a new one.
 * Throws UsageError when the campaign there has other settings; only `again` removes it.
 */
async function resume(
  { engine, keepTelemetry, folder: results }: JobSettings,
  campaign: Campaign,
): Promise<{ seed: number; kept: Manifest[] }> {
  const folder = runsFolder(results);
  const file = `${folder}/campaign.json`;
  if (campaign.again) rmSync(folder, { recursive: true, force: true });
  const settings: SharedSettings = {
    engine,
    isolation: keepTelemetry ? "keep-telemetry" : "fresh",
  };
  if (!existsSync(file)) {
    const seed = campaign.seed ?? freshSeed();
    checkResultsFolder(folder);
    writeText(file, `${JSON.stringify({ settings, seed }, null, 2)}\n`);
    return { seed, kept: [] };
  }
  const before = JSON.parse(readFileSync(file, "utf8")) as {
    settings: SharedSettings;
    seed: number;
  };
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
  const found = await readManifests(folder);
  const kept = found
    .map(({ manifest }) => manifest)
    .filter(({ outcome }) => outcome.kind === "valid");
  return { seed: before.seed, kept };
}
