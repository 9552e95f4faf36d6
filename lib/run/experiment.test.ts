import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { existsSync } from "node:fs";
import { mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { UnfitMachineError } from "../base/errors.ts";
import { whyNotRestored } from "../incident/programs.ts";
import type { UpOptions } from "../lab/lab.ts";
import { type ExperimentRequest, runExperiment } from "./experiment.ts";
import { investigatorsNamed } from "./investigators.ts";
import { recordIncidents } from "./record-incidents.ts";
import { brokenLabs } from "./testing/broken-labs.ts";

let results = "";
beforeEach(async () => {
  results = await mkdtemp(join(tmpdir(), "experiment-"));
});
afterEach(() => rm(results, { recursive: true, force: true }));

function run(change: Partial<ExperimentRequest>, reason?: Error) {
  const { context, tries, asked } = brokenLabs(reason);
  const result = runExperiment(context, {
    labs: { engine: "native", first: 3, count: 2 },
    all: false,
    investigators: investigatorsNamed(["baseline", "random"]),
    repeat: 1,
    seed: 7,
    again: false,
    live: false,
    keepTelemetry: false,
    results,
    ...change,
  });
  return { result, tries, asked };
}

/** Only a lab for a recording gets a seed for its fleet. */
const isRecorded = ({ fleetSeed }: UpOptions): boolean => fleetSeed !== undefined;

describe("runExperiment()", () => {
  test.skipIf(whyNotRestored() !== undefined)(
    "records incidents of either engine, unless it is to look live (needs prometheus)",
    async () => {
      for (const engine of ["native", "docker"]) {
        for (const live of [false, true]) {
          const labs = { engine, first: 3, count: 1 };
          const { result, asked } = run({ scenario: "healthy", live, labs });
          await result;
          expect([engine, asked.map(isRecorded)]).toEqual([engine, [!live, !live]]);
        }
      }
    },
  );

  test("records on containers without anyone who examines", async () => {
    const { context, asked } = brokenLabs();
    const labs = { engine: "docker", first: 3, count: 1 };
    const request = { scenario: "healthy", all: false, labs, repeat: 1, folder: results };
    const lines = await recordIncidents(context, request);
    expect(lines.map(({ bundle }) => bundle)).toEqual([null]);
    expect(asked.map(isRecorded)).toEqual([true, true]);
  });

  test("a single run stands beside the campaign: it continues none and begins none", async () => {
    const campaign = run({ scenario: "healthy", repeat: 2 });
    expect((await campaign.result).folder).toBe(results);
    const campaignFiles = async (): Promise<string[]> =>
      (await readdir(join(results, "runs"), { recursive: true })).toSorted();
    const before = await campaignFiles();
    for (const scenario of ["sensor-down", "healthy"]) {
      const { result, tries } = run({ scenario });
      const { manifests, folder } = await result;
      expect(manifests.map(({ investigator }) => investigator)).toEqual(["baseline", "random"]);
      expect(folder).toBe(`${results}/latest`);
      // Twice, because the environment failed.
      expect(tries).toEqual([3, 3]);
      expect(await Bun.file(`${results}/${scenario}/manifest.json`).exists()).toBe(true);
      expect(await readdir(`${folder}/runs/baseline`)).toEqual([scenario]);
      expect(existsSync(`${folder}/report.html`)).toBe(true);
      expect(existsSync(`${folder}/runs/campaign.json`)).toBe(false);
    }
    expect(await campaignFiles()).toEqual(before);
  });

  test("the same seed gives the same run, as a single one and in a campaign", async () => {
    const [alone] = (await run({ scenario: "healthy" }).result).manifests;
    const campaign = await run({ scenario: "healthy", repeat: 2 }).result;
    const first = campaign.manifests.find(({ repeat }) => repeat === 1);
    expect(alone?.seed).toBe(first?.seed ?? Number.NaN);
  });

  test("what no second attempt can change is neither tried again nor kept as a run", async () => {
    for (const live of [true, false]) {
      const reason = new UnfitMachineError("this user may not");
      const { result, tries } = run({ scenario: "healthy", repeat: 2, live }, reason);
      await expect(result).rejects.toBe(reason);
      expect(tries.length).toBe(new Set(tries).size);
    }
    const kept = (await readdir(results, { recursive: true })).map(String);
    expect(kept.filter((path) => /manifest|report/.test(path))).toEqual([]);
  });

  test("either a scenario or all must be chosen", async () => {
    await expect(run({}).result).rejects.toThrow("a scenario or --all must be given");
    const both = run({ scenario: "healthy", all: true }).result;
    await expect(both).rejects.toThrow("it must be one of the two");
  });
});
