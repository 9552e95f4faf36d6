/** Many runs: scenarios times repeats, several labs side by side, resumable; and a single one. */
import { existsSync, readFileSync, rmSync } from "node:fs";
import { UsageError } from "../base/errors.ts";
import { createPrng, freshSeed } from "../base/prng.ts";
import type { AlertRule } from "../contract/alert-rules.ts";
import { type Budget, type Investigator } from "../investigate/investigator.ts";
import type { Manifest, Outcome } from "../score/run-record.ts";
import type { Scenario } from "../../scenarios/load.ts";
import { checkResultsFolder, fileNameOf, readManifests, writeRun, writeText } from "./artefacts.ts";
import type { RunOptions } from "../cli/command-line.ts";
import type { CommandContext } from "./context.ts";
import { type Incident, runIncident } from "./incident.ts";
import { manifestOf, type RunIdentity } from "./manifest.ts";
import { createProgress } from "./progress.ts";

/** What an investigation may cost; a local 7B model needs minutes. */
export const BUDGET: Budget = { wallMs: 900_000, rounds: 5, tokens: 120_000 };
/** An environment that fails is tried once more. */
const ATTEMPTS = 2;

export interface Campaign {
  /** Where the latest run of each scenario goes; the runs themselves are kept below `options.results`. */
  readonly latest: string;
  readonly scenarios: readonly Scenario[];
  readonly investigators: readonly Investigator[];
  readonly rules: readonly AlertRule[];
  readonly options: RunOptions;
  readonly versions: Readonly<Record<string, string>>;
}

interface Job {
  readonly scenario: Scenario;
  readonly repeat: number;
}

/** Where the runs of a campaign are kept, each in a folder of its own. */
export const runsFolder = (results: string): string => `${results}/runs`;

const folderOf = (results: string, { investigator, scenario, repeat }: Manifest): string =>
  `${runsFolder(results)}/${fileNameOf(investigator)}/${scenario}/${repeat}`;

/** Runs all that is still to do and returns the manifests of what was asked for, this machine's part of it. */
export async function runCampaign(
  context: CommandContext,
  campaign: Campaign,
): Promise<readonly Manifest[]> {
  const { options } = campaign;
  checkResultsFolder(options.results);
  const { seed, kept } = await resume(campaign);
  const jobs = jobsOf(campaign, seed);
  const done = kept.filter(
    (manifest) =>
      campaign.investigators.some(({ name }) => name === manifest.investigator) &&
      jobs.some(
        ({ scenario, repeat }) => scenario.name === manifest.scenario && repeat === manifest.repeat,
      ),
  );
  const isDone = (job: Job, investigator: string): boolean =>
    done.some(
      (manifest) =>
        manifest.scenario === job.scenario.name &&
        manifest.repeat === job.repeat &&
        manifest.investigator === investigator,
    );
  const manifests: Manifest[] = [...done];
  const queue = jobs.filter((job) => campaign.investigators.some(({ name }) => !isDone(job, name)));
  const progress = createProgress({});
  const before = jobs.length - queue.length;
  progress.line(
    `seed ${seed}: ${queue.length} incident(s) to go${before === 0 ? "" : `, ${before} kept from before (--again begins anew)`}`,
  );
  const startedMs = performance.now();
  let oneByOneMs = 0;
  const worker = async (offset: number): Promise<void> => {
    for (let job = queue.shift(); job !== undefined; job = queue.shift()) {
      const { scenario, repeat } = job;
      const left = campaign.investigators.filter(({ name }) => !isDone({ scenario, repeat }, name));
      const jobStartedMs = performance.now();
      manifests.push(...(await runJob(context, campaign, job, left, seed, options.lab + offset)));
      oneByOneMs += performance.now() - jobStartedMs;
    }
  };
  await Promise.all(Array.from({ length: options.parallel }, (_, i) => worker(i)));
  progress.line(
    `took ${inMinutes(performance.now() - startedMs)}; one after the other it would have been ${inMinutes(oneByOneMs)}`,
  );
  return manifests;
}

const inMinutes = (ms: number): string => {
  const seconds = Math.round(ms / 1000);
  return `${Math.floor(seconds / 60)} min ${seconds % 60} s`;
};

/** This shard's jobs, in an order that the seed decides: machines share out without having to agree on a seed. */
function jobsOf({ scenarios, options }: Campaign, seed: number): Job[] {
  const jobs = scenarios.flatMap((scenario) =>
    Array.from({ length: options.repeat }, (_, i) => ({ scenario, repeat: i + 1 })),
  );
  const { shard } = options;
  const own = shard === undefined ? jobs : jobs.filter((_, i) => i % shard.of === shard.index - 1);
  const prng = createPrng(seed).child("order");
  const keyed = own.map((job) => ({ job, key: prng.next() }));
  return keyed.toSorted((a, b) => a.key - b.key).map(({ job }) => job);
}

/** A seed of its own for each run, the same for all its investigators. */
function seedOf({ scenario, repeat }: Job, seed: number): number {
  const own = createPrng(seed).child(`${scenario.name} ${repeat}`);
  return Math.floor(own.next() * 2 ** 32);
}

/** What all runs of a campaign have in common; scenarios, investigators and repeats may be added later. */
interface Settings {
  readonly engine: string;
  readonly isolation: Manifest["isolation"];
}

/**
 * Seed and valid runs of the campaign in the results folder, or a new one when there is none.
 * Throws UsageError when the one that is there cannot be gone on with; only `--again` removes it.
 */
async function resume({ options }: Campaign): Promise<{ seed: number; kept: Manifest[] }> {
  const folder = runsFolder(options.results);
  const file = `${folder}/campaign.json`;
  if (options.again) rmSync(folder, { recursive: true, force: true });
  const settings: Settings = {
    engine: options.engine,
    isolation: options.keepTelemetry ? "keep-telemetry" : "fresh",
  };
  if (!existsSync(file)) {
    const seed = options.seed ?? freshSeed();
    checkResultsFolder(folder);
    writeText(file, `${JSON.stringify({ settings, seed }, null, 2)}\n`);
    return { seed, kept: [] };
  }
  const before = JSON.parse(readFileSync(file, "utf8")) as { settings: Settings; seed: number };
  const differs = [
    before.settings.engine === settings.engine ? [] : [`engine ${before.settings.engine}`],
    before.settings.isolation === settings.isolation ? [] : [before.settings.isolation],
    options.seed === undefined || options.seed === before.seed ? [] : [`seed ${before.seed}`],
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

async function runJob(
  context: CommandContext,
  campaign: Campaign,
  { scenario, repeat }: Job,
  investigators: readonly Investigator[],
  seed: number,
  labIndex: number,
): Promise<Manifest[]> {
  const { options } = campaign;
  const prefix = options.parallel > 1 ? `[${scenario.name} ${repeat}] ` : "";
  const runSeed = seedOf({ scenario, repeat }, seed);
  const earlier: Outcome[] = [];
  const attempt = (): Promise<Incident> =>
    runIncident(scenario, {
      lab: context.createLab({ engine: options.engine, index: labIndex, lifetime: "with-caller" }),
      rules: campaign.rules,
      investigators,
      budget: BUDGET,
      seed: runSeed,
      keepTelemetry: options.keepTelemetry,
      signal: context.signal,
      progress: (keepLine) => createProgress({ prefix, keep: keepLine }),
    });
  let incident = await attempt();
  while (incident.outcome.kind === "environment-invalid" && earlier.length + 1 < ATTEMPTS) {
    const { phase, reason } = incident.outcome;
    createProgress({ prefix }).line(`trying once more: invalid in phase ${phase}: ${reason}`);
    earlier.push(incident.outcome);
    incident = await attempt();
  }
  const identity = (investigator: string): RunIdentity => ({
    investigator,
    repeat,
    seed: runSeed,
    engine: options.engine,
    isolation: options.keepTelemetry ? "keep-telemetry" : "fresh",
    earlier,
    versions: campaign.versions,
  });
  return keep(incident, investigators, identity, campaign);
}

/** Writes a run per investigator, and the first of them as the scenario's latest. */
function keep(
  incident: Incident,
  investigators: readonly Investigator[],
  identity: (investigator: string) => RunIdentity,
  { options, latest }: Campaign,
): Manifest[] {
  return investigators.map(({ name }, i) => {
    const look = incident.looks.find(({ investigator }) => investigator === name);
    const manifest = manifestOf(incident, look, identity(name));
    writeRun(folderOf(options.results, manifest), incident, look, manifest);
    if (i === 0) writeRun(`${latest}/${incident.scenario.name}`, incident, look, manifest);
    return manifest;
  });
}
