/** Many runs: scenarios times repeats, several labs side by side, resumable; and a single one. */
import { existsSync, readFileSync, rmSync } from "node:fs";
import { createPrng, freshSeed } from "../base/prng.ts";
import type { AlertRule } from "../contract/alert-rules.ts";
import { type Budget, type Investigator } from "../investigate/investigator.ts";
import type { Manifest } from "../score/run-record.ts";
import type { Scenario } from "../../scenarios/load.ts";
import { checkResultsFolder, fileNameOf, readManifests, writeRun, writeText } from "./artefacts.ts";
import type { RunOptions } from "./command-line.ts";
import type { CommandContext } from "./context.ts";
import { type Incident, runIncident } from "./incident.ts";
import { manifestOf, type RunIdentity } from "./manifest.ts";
import { createProgress } from "./progress.ts";

/** What an investigation may cost; a local 7B model needs minutes. */
export const BUDGET: Budget = { wallMs: 900_000, rounds: 5, tokens: 120_000 };
/** An environment that fails is tried once more. */
const ATTEMPTS = 2;

export interface Campaign {
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

/** Runs all that is still to do and returns the manifests of the whole campaign, this machine's part of it. */
export async function runCampaign(
  context: CommandContext,
  campaign: Campaign,
): Promise<readonly Manifest[]> {
  const { options } = campaign;
  checkResultsFolder(options.results);
  const { seed, done } = await resume(campaign);
  const jobs = jobsOf(campaign, seed);
  const isDone = (job: Job, investigator: string): boolean =>
    done.some(
      (manifest) =>
        manifest.scenario === job.scenario.name &&
        manifest.repeat === job.repeat &&
        manifest.investigator === investigator,
    );
  const manifests: Manifest[] = [...done];
  const queue = jobs.filter((job) => campaign.investigators.some(({ name }) => !isDone(job, name)));
  const worker = async (offset: number): Promise<void> => {
    for (let job = queue.shift(); job !== undefined; job = queue.shift()) {
      const { scenario, repeat } = job;
      const left = campaign.investigators.filter(({ name }) => !isDone({ scenario, repeat }, name));
      manifests.push(...(await runJob(context, campaign, job, left, seed, options.lab + offset)));
    }
  };
  await Promise.all(Array.from({ length: options.parallel }, (_, i) => worker(i)));
  return manifests;
}

/** Jobs in an order that the seed decides, and of them this shard's. */
function jobsOf({ scenarios, options }: Campaign, seed: number): Job[] {
  const jobs = scenarios.flatMap((scenario) =>
    Array.from({ length: options.repeat }, (_, i) => ({ scenario, repeat: i + 1 })),
  );
  const prng = createPrng(seed).child("order");
  const keyed = jobs.map((job) => ({ job, key: jobs.length > 1 ? prng.next() : 0 }));
  const ordered = keyed.toSorted((a, b) => a.key - b.key).map(({ job }) => job);
  const { shard } = options;
  return shard === undefined ? ordered : ordered.filter((_, i) => i % shard.of === shard.index - 1);
}

/** Seed and finished runs of an interrupted campaign with the same settings; otherwise a fresh start. */
async function resume({
  scenarios,
  investigators,
  options,
}: Campaign): Promise<{ seed: number; done: Manifest[] }> {
  const folder = runsFolder(options.results);
  const file = `${folder}/campaign.json`;
  const settings = {
    scenarios: scenarios.map(({ name }) => name),
    investigators: investigators.map(({ name }) => name),
    repeat: options.repeat,
    isolation: options.keepTelemetry ? "keep-telemetry" : "fresh",
    engine: options.engine,
  };
  const before = existsSync(file)
    ? (JSON.parse(readFileSync(file, "utf8")) as { settings: unknown; seed: number })
    : undefined;
  const same =
    before !== undefined &&
    JSON.stringify(before.settings) === JSON.stringify(settings) &&
    (options.seed === undefined || options.seed === before.seed);
  if (same && !options.again) {
    const found = await readManifests(folder);
    const done = found
      .map(({ manifest }) => manifest)
      .filter(({ outcome }) => outcome.kind === "valid");
    return { seed: before.seed, done };
  }
  rmSync(folder, { recursive: true, force: true });
  const seed = options.seed ?? freshSeed();
  checkResultsFolder(folder);
  writeText(file, `${JSON.stringify({ settings, seed }, null, 2)}\n`);
  return { seed, done: [] };
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
  let incident: Incident | undefined;
  let attempts = 0;
  while (attempts < ATTEMPTS && incident?.outcome.kind !== "valid") {
    attempts++;
    incident = await runIncident(scenario, {
      lab: context.createLab({ engine: options.engine, index: labIndex, lifetime: "with-caller" }),
      rules: campaign.rules,
      investigators,
      budget: BUDGET,
      seed,
      keepTelemetry: options.keepTelemetry,
      signal: context.signal,
      progress: (keep) => createProgress({ prefix, keep }),
    });
    if (incident.outcome.kind === "harness-defect") break;
  }
  if (incident === undefined) throw new Error("No attempt was made");
  const identity = (investigator: string): RunIdentity => ({
    investigator,
    repeat,
    seed,
    engine: options.engine,
    isolation: options.keepTelemetry ? "keep-telemetry" : "fresh",
    attempts,
    versions: campaign.versions,
  });
  return keep(incident, investigators, identity, options.results);
}

/** Writes a run per investigator, and the first of them as the scenario's latest. */
function keep(
  incident: Incident,
  investigators: readonly Investigator[],
  identity: (investigator: string) => RunIdentity,
  results: string,
): Manifest[] {
  return investigators.map(({ name }, i) => {
    const look = incident.looks.find(({ investigator }) => investigator === name);
    const manifest = manifestOf(incident, look, identity(name));
    writeRun(folderOf(results, manifest), incident, look, manifest);
    if (i === 0) writeRun(`${results}/${incident.scenario.name}`, incident, look, manifest);
    return manifest;
  });
}
