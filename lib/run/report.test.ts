import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { readdirSync } from "node:fs";
import { cp, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Fact } from "../contract/citation.ts";
import type { Manifest } from "../score/run-record.ts";
import type { Summary } from "../score/summary.ts";
import { readManifests } from "./artefacts.ts";
import { mergeResults } from "./report.ts";
import { silent } from "./testing/silent.ts";

const PUBLISHED = new URL("../../results/published", import.meta.url).pathname;
let folder = "";
const merge = (from: readonly string[], rescore = false): Promise<string> =>
  mergeResults(from, { results: join(folder, "out"), readme: false, rescore }, silent);
const summary = (): Promise<Summary> => Bun.file(join(folder, "out/summary.json")).json();

/** The folder of the baseline's published examination of a scenario. */
function publishedRun(scenario: string): string {
  const runs = join(PUBLISHED, "runs/baseline", scenario);
  const [incident = ""] = readdirSync(runs);
  return join(runs, incident);
}

/** Copies the published run of a scenario under another folder and id. */
async function keepRun(scenario: string, to: string, id: string): Promise<string> {
  const path = join(folder, to);
  await cp(publishedRun(scenario), path, { recursive: true });
  const manifest = (await Bun.file(join(path, "manifest.json")).json()) as object;
  const kept = { ...manifest, run_id: id, investigator: "baseline" };
  await Bun.write(join(path, "manifest.json"), JSON.stringify(kept));
  return path;
}

/** A run in the format of version 1, with one fault in diagnosis and truth. */
async function asVersion1(scenario: string, to: string): Promise<void> {
  const path = await keepRun(scenario, to, "old");
  const file = join(path, "manifest.json");
  const manifest = (await Bun.file(file).json()) as Manifest;
  const { diagnosis: _, abstained: __, evidence_f1: ___, ...score } = manifest.score ?? {};
  const { incident: ____, repair: _____, ...rest } = manifest;
  const old = {
    ...rest,
    schema_version: 1,
    diagnosis: manifest.diagnosis?.[0],
    truth: manifest.truth[0],
    score,
  };
  await Bun.write(file, JSON.stringify(old));
}

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "report-"));
  await keepRun("sensor-down", "a/runs/baseline/sensor-down/1", "one");
  // Copies and partial folders, which must not count as runs.
  await keepRun("sensor-down", "a/sensor-down", "copy");
  await keepRun("healthy", "a/published/healthy", "elsewhere");
  await keepRun("sensor-down", "a/runs/baseline/sensor-down/2.partial", "half");
  await keepRun("sensor-down", "b/runs/baseline/sensor-down/2", "two");
  await asVersion1("sensor-down", "c/runs/baseline/sensor-down/1");
});
afterAll(() => rm(folder, { recursive: true, force: true }));

describe("report", () => {
  test("merges campaigns, each run once, and nothing that lies beside them", async () => {
    const from = [join(folder, "a"), join(folder, "b"), join(folder, "a/runs")];
    expect(await merge(from)).toContain("| sensor-down |");
    const { runs, groups } = await summary();
    expect(runs).toBe(2);
    expect(groups.map(({ investigator, valid }) => [investigator, valid])).toEqual([
      ["baseline", 2],
    ]);
    expect(await Bun.file(join(folder, "out/report.html")).text()).toContain("2 of 2 runs are");
    const text = await Bun.file(join(folder, "out/summary.md")).text();
    expect(text).toContain("pass^k averaged over scenarios");
    expect(text).toContain("means of the scenarios' means, so that each scenario counts once");
    expect(text).toContain("On the same incidents:");
  });

  test("reads and scores anew what was kept when an answer had one fault", async () => {
    const text = await merge([join(folder, "c")], true);
    expect(text).toContain("| sensor-down | 1/1 right |");
    const [run] = await readManifests(join(folder, "c"));
    expect(run?.manifest).toMatchObject({
      schema_version: 2,
      diagnosis: [{ culprit: "radar-sensor", fault_class: "process_exited" }],
      truth: [{ culprit: "radar-sensor", fault_class: "process_exited" }],
      score: { diagnosis: 1, abstained: false },
    });
  });

  test("refuses a folder without runs, though others have some", async () => {
    const running = merge([join(folder, "a"), join(folder, "typo")]);
    await expect(running).rejects.toThrow(/there must be runs below .*typo, but there is none/);
  });

  test("scores anew from what was kept; without its calls, what an answer cites keeps its points", async () => {
    const path = join(folder, "b/runs/baseline/sensor-down/2");
    const [before] = await readManifests(path);
    await merge([join(folder, "b")], true);
    const [again] = await readManifests(path);
    const earlier = before?.manifest.score;
    expect(again?.manifest.score).toMatchObject({
      points: earlier?.points,
      items: earlier?.items,
      mechanism: earlier?.mechanism,
      grounded_citations: earlier?.grounded_citations,
    });
    const { evidence } = (await Bun.file(join(path, "rca.json")).json()) as {
      evidence: { call_id: string; signal: string; service: string; value: number | string }[];
    };
    const records = Object.entries(Object.groupBy(evidence, ({ call_id }) => call_id)).map(
      ([id, cited = []]) => ({
        id,
        tool: "compare",
        arguments: {},
        request: [],
        window: null,
        asked_unix_ms: 0,
        duration_ms: 1,
        ok: true,
        answer: JSON.stringify({
          facts: cited.map(({ signal, service, value }): Fact => ({
            signal,
            service,
            value,
            labels: {},
            when: "before",
          })),
        }),
      }),
    );
    await Bun.write(
      join(path, "evidence.jsonl"),
      records.map((one) => JSON.stringify(one)).join("\n"),
    );
    await merge([join(folder, "b")], true);
    const [after] = await readManifests(path);
    // Every citation is grounded, but by data from before the fault.
    expect(after?.manifest.score).toMatchObject({ points: 2, correct: true, mechanism: false });
    expect(await Bun.file(join(path, "score.json")).json()).toEqual(after?.manifest.score ?? null);
  });
});
