import { afterAll, beforeAll, expect, test } from "bun:test";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { UsageError } from "../base/errors.ts";
import type { Lab } from "../lab/lab.ts";
import { createInvestigator } from "../investigate/registry.ts";
import { loadScenario, type Scenario } from "../../scenarios/load.ts";
import { labPorts } from "../contract/topology.ts";
import { readManifests } from "./artefacts.ts";
import { runCampaign, runsFolder } from "./campaign.ts";
import type { RunOptions } from "./command-line.ts";
import type { CommandContext } from "./context.ts";
import { readRules } from "./run-command.ts";

let results = "";
let scenarios: Scenario[] = [];
beforeAll(async () => {
  results = await mkdtemp(join(tmpdir(), "campaign-"));
  scenarios = [await loadScenario("sensor-down"), await loadScenario("healthy")];
});
afterAll(() => rm(results, { recursive: true, force: true }));

/** A lab that never comes up; counts how often it was tried, and on which index. */
function brokenLabs(): { context: CommandContext; tries: number[] } {
  const tries: number[] = [];
  const createLab: CommandContext["createLab"] = ({ index }) =>
    ({
      engine: "native",
      ports: labPorts(index),
      up: () => {
        tries.push(index);
        return Promise.reject(new UsageError("this lab never comes up"));
      },
      down: () => Promise.resolve(),
    }) as unknown as Lab;
  const context = { signal: new AbortController().signal, print: () => {}, createLab };
  return { context, tries };
}

const options = (change: Partial<RunOptions> = {}): RunOptions => ({
  engine: "native",
  lab: 0,
  json: false,
  all: true,
  investigator: [],
  repeat: 2,
  parallel: 1,
  seed: 7,
  keepTelemetry: false,
  again: false,
  results,
  ...change,
});

const campaign = (change: Partial<RunOptions> = {}) => ({
  scenarios,
  investigators: [createInvestigator("baseline"), createInvestigator("constant")],
  rules: readRules(),
  options: options(change),
  versions: {},
});

test("an environment that fails is tried twice, kept as invalid, and tried again next time", async () => {
  const { context, tries } = brokenLabs();
  const manifests = await runCampaign(context, campaign());
  expect(tries).toHaveLength(2 * 2 * 2);
  expect(manifests).toHaveLength(2 * 2 * 2);
  for (const { outcome, attempts, score } of manifests) {
    expect(outcome).toEqual({
      kind: "environment-invalid",
      phase: "up",
      reason: "this lab never comes up",
    });
    expect([attempts, score]).toEqual([2, null]);
  }
  await runCampaign(context, campaign());
  expect(tries).toHaveLength(2 * 8);
});

test("what is valid is not run again, unless it is asked for or the settings differ", async () => {
  const found = await readManifests(runsFolder(results));
  for (const { path, manifest } of found) {
    const valid = { ...manifest, outcome: { kind: "valid" } };
    await Bun.write(`${path}/manifest.json`, JSON.stringify(valid));
  }
  const { context, tries } = brokenLabs();
  expect(await runCampaign(context, campaign())).toHaveLength(8);
  expect(tries).toEqual([]);
  await runCampaign(context, campaign({ seed: 8 }));
  expect(tries).toHaveLength(8);
});

test("shards share the jobs out, in the same order for the same seed", async () => {
  const jobsOf = async (index: number): Promise<string[]> => {
    const { context } = brokenLabs();
    const shard = { index, of: 3 };
    const manifests = await runCampaign(context, campaign({ shard, again: true }));
    return [...new Set(manifests.map(({ scenario, repeat }) => `${scenario} ${repeat}`))];
  };
  const shards = [await jobsOf(1), await jobsOf(2), await jobsOf(3)];
  expect(shards.flat().toSorted()).toEqual([
    "healthy 1",
    "healthy 2",
    "sensor-down 1",
    "sensor-down 2",
  ]);
  expect(await jobsOf(1)).toEqual(shards[0] ?? []);
});

test("labs side by side have indexes of their own", async () => {
  const { context, tries } = brokenLabs();
  await runCampaign(context, campaign({ parallel: 2, lab: 3, again: true }));
  expect(new Set(tries)).toEqual(new Set([3, 4]));
});
