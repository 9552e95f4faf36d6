import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { EnvironmentError, isDiskFull, UsageError } from "../base/errors.ts";
import { createInvestigator } from "../investigate/registry.ts";
import { loadScenario, type Scenario } from "../../scenarios/load.ts";
import { readManifests } from "./artefacts.ts";
import { type Campaign, runCampaign } from "./campaign.ts";
import type { RunContext } from "./context.ts";
import type { JobSettings } from "./job.ts";
import { readRules } from "./rules.ts";
import { runsFolder } from "./runs-folder.ts";
import { brokenLabs } from "./testing/broken-labs.ts";

let results = "";
let scenarios: Scenario[] = [];
beforeAll(async () => {
  results = await mkdtemp(join(tmpdir(), "campaign-"));
  scenarios = [await loadScenario("sensor-down"), await loadScenario("healthy")];
});
afterAll(() => rm(results, { recursive: true, force: true }));

const labs = { engine: "native", first: 0, count: 1 };

/** Runs a campaign of two scenarios and two investigators, with these differences. */
function run(
  context: RunContext,
  { campaign, settings }: { campaign?: Partial<Campaign>; settings?: Partial<JobSettings> } = {},
) {
  return runCampaign(
    context,
    {
      engine: "native",
      keepTelemetry: false,
      rules: readRules(),
      rulesText: "",
      first: "baseline",
      versions: {},
      folder: results,
      latest: results,
      ...settings,
    },
    {
      labs,
      scenarios,
      investigators: [createInvestigator("baseline"), createInvestigator("random")],
      repeat: 2,
      seed: 7,
      again: false,
      live: false,
      ...campaign,
    },
  );
}

test("an environment that fails is tried twice, kept as invalid, and tried again next time", async () => {
  const { context, tries } = brokenLabs();
  const manifests = await run(context);
  expect(tries).toHaveLength(2 * 2 * 2);
  expect(manifests).toHaveLength(2 * 2 * 2);
  for (const { outcome, attempts, earlier_attempts, score } of manifests) {
    const failure = { phase: "up", reason: "this lab never comes up" };
    expect(outcome).toEqual({ kind: "environment-invalid", ...failure });
    expect([attempts, score]).toEqual([2, null]);
    expect(earlier_attempts).toEqual([failure]);
  }
  await run(context);
  expect(tries).toHaveLength(2 * 8);
});

async function declareAllValid(): Promise<void> {
  for (const { path, manifest } of await readManifests(runsFolder(results))) {
    const valid = { ...manifest, outcome: { kind: "valid" } };
    await Bun.write(`${path}/manifest.json`, JSON.stringify(valid));
  }
}

test("what is valid is not run again, and more repeats or investigators add to it", async () => {
  await declareAllValid();
  const { context, tries } = brokenLabs();
  expect(await run(context)).toHaveLength(8);
  expect(tries).toEqual([]);
  expect(await run(context, { campaign: { repeat: 3 } })).toHaveLength(12);
  expect(tries).toHaveLength(2 * 2);
  const investigators = [createInvestigator("loudest")];
  expect(await run(context, { campaign: { investigators } })).toHaveLength(4);
  expect(tries).toHaveLength(2 * 2 + 2 * 4);
  // Eight valid runs, four of the third repeat, four of another investigator: none was lost.
  expect(await readManifests(runsFolder(results))).toHaveLength(16);
});

test.each([
  ["another seed", { campaign: { seed: 8 } }, "seed 7"],
  ["another isolation", { settings: { keepTelemetry: true } }, "fresh"],
  ["another engine", { settings: { engine: "other" } }, "engine native"],
] as const)("%s never touches the campaign that is there", async (_, change, differs) => {
  const { context, tries } = brokenLabs();
  const before = await readManifests(runsFolder(results));
  const running = run(context, change);
  await expect(running).rejects.toThrow(UsageError);
  await expect(running).rejects.toThrow(`but it has ${differs}; choose another folder`);
  expect(tries).toEqual([]);
  expect(await readManifests(runsFolder(results))).toEqual(before);
});

test("--again starts over", async () => {
  await declareAllValid();
  const { context, tries } = brokenLabs();
  await run(context, { campaign: { seed: 8, again: true } });
  expect(tries).toHaveLength(8);
  expect(await readManifests(runsFolder(results))).toHaveLength(8);
});

/** The runs of a shard in their order, each with its seed. */
async function jobsOf(change: Partial<Campaign>): Promise<[string, number][]> {
  const { context } = brokenLabs();
  const manifests = await run(context, { campaign: { seed: undefined, again: true, ...change } });
  return [
    ...new Map(
      manifests.map((run): [string, number] => [`${run.scenario} ${run.repeat}`, run.seed]),
    ),
  ];
}

test("shards share the jobs out without having to agree on a seed", async () => {
  const shards: [string, number][] = [];
  for (const index of [1, 2, 3]) shards.push(...(await jobsOf({ shard: { index, of: 3 } })));
  expect(shards.map(([job]) => job).toSorted()).toEqual([
    "healthy 1",
    "healthy 2",
    "sensor-down 1",
    "sensor-down 2",
  ]);
});

test("the same seed gives the same order, and each run a seed of its own", async () => {
  const once = await jobsOf({ seed: 7, repeat: 4 });
  expect(await jobsOf({ seed: 7, repeat: 4 })).toEqual(once);
  expect(new Set(once.map(([, seed]) => seed)).size).toBe(8);
  const other = await jobsOf({ seed: 8, repeat: 4 });
  expect(other.map(([job]) => job)).not.toEqual(once.map(([job]) => job));
});

test("labs side by side have indexes of their own", async () => {
  const { context, tries } = brokenLabs();
  await run(context, { campaign: { labs: { ...labs, first: 3, count: 2 }, again: true } });
  expect(new Set(tries)).toEqual(new Set([3, 4]));
});

describe("a full disk", () => {
  const full = Object.assign(new Error("ENOSPC: no space left on device, write"), {
    code: "ENOSPC",
  });

  test("stops a campaign with one line, keeps no run as invalid, and the next one goes on", async () => {
    const again = { repeat: 1, again: true };
    await run(brokenLabs().context, { campaign: again });
    await declareAllValid();
    const kept = await readManifests(runsFolder(results));
    const { context, tries } = brokenLabs(full);
    const running = run(context, { campaign: { repeat: 2 } });
    await expect(running).rejects.toThrow(EnvironmentError);
    await expect(running).rejects.toThrow(
      /^Cannot go on: the disk is full .* where this one stopped$/,
    );
    expect(tries).toHaveLength(1);
    expect(await readManifests(runsFolder(results))).toEqual(kept);
    const next = brokenLabs();
    expect(await run(next.context, { campaign: { repeat: 2 } })).toHaveLength(8);
    // Two tries of each of the two remaining incidents.
    expect(next.tries).toHaveLength(4);
  });

  test("is seen through its causes, whoever says so", () => {
    const wrapped = new Error("Cannot freeze", { cause: new Error("x", { cause: full }) });
    expect(isDiskFull(wrapped)).toBe(true);
    expect(isDiskFull(new Error("database or disk is full"))).toBe(true);
    expect(isDiskFull(new Error("no such file"))).toBe(false);
    expect(isDiskFull("ENOSPC")).toBe(false);
  });
});
