/**
 * Tests examining recorded incidents: storing, resuming, sharding and refusing. Uses real engines
 * without a lab.
 */
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "bun:test";
import { cpSync, existsSync, mkdtempSync, readdirSync, rmSync, truncateSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { systemClock } from "../base/clock.ts";
import { UsageError } from "../base/errors.ts";
import { freezeIncident } from "../incident/freeze.ts";
import { RULES_TEXT, SMALL_ALERT, SmallSystem } from "../incident/testing/small-system.ts";
import { createInvestigator } from "../investigate/registry.ts";
import type { Investigation, Investigator } from "../investigate/investigator.ts";
import type { RunContext } from "./context.ts";
import { examineIncidents, type ExamineRequest } from "./examine-incidents.ts";
import {
  bundlesIn,
  readRecording,
  type Recording,
  recordingsIn,
  sha256Of,
  writeRecordedIncident,
} from "./recorded-incident.ts";
import { runsFolder, withRunsLocked } from "./runs-folder.ts";
import { silent } from "./testing/silent.ts";

const root = mkdtempSync(join(tmpdir(), "examine-incidents-"));
const bundles = join(root, "incidents");
const context: RunContext = {
  signal: new AbortController().signal,
  progress: () => silent,
  claimLab: () => undefined,
  createLab: () => {
    throw new Error("an examination starts no lab");
  },
};
let results = "";
let count = 0;
beforeEach(() => {
  results = join(root, `results-${count++}`);
});

const recordingOf = (incident: string, bytes: Uint8Array, repeat: number): Recording => ({
  schema_version: 1,
  incident,
  bundle_sha256: sha256Of(bytes),
  scenario: "sensor-down",
  repeat,
  moment: "first",
  difficulty: null,
  seed: 7,
  engine: "native",
  isolation: "fresh",
  versions: { project: "0.1.0" },
  earlier: [],
  outcome: { kind: "valid" },
  timeline: [
    { name: "up", unixMs: 1000 },
    { name: "inject", unixMs: 2000 },
    { name: "frozen", unixMs: 3000 },
    { name: "heal", unixMs: 4000 },
  ],
  metric_points: [],
  inject_log: ["injected"],
  cleanup_log: [],
  run_log: ["recorded"],
});

const examine = (change: Partial<ExamineRequest> = {}) =>
  examineIncidents(context, {
    paths: [bundles],
    investigators: [createInvestigator("random")],
    parallel: 2,
    again: false,
    results,
    ...change,
  });

test("a later moment is an incident of its own, but no recording of its scenario's turn", () => {
  const folder = join(root, "later");
  for (const [incident, moment] of [
    ["00000000000000aa", "later"],
    ["00000000000000bb", "first"],
  ] as const) {
    const bytes = Buffer.from(incident);
    writeRecordedIncident(folder, bytes, { ...recordingOf(incident, bytes, 1), moment });
  }
  expect(bundlesIn([folder]).map((path) => readRecording(path).recording.moment)).toEqual([
    "later",
    "first",
  ]);
  expect(recordingsIn(folder).map(({ recording }) => recording.incident)).toEqual([
    "00000000000000bb",
  ]);
});

/** An investigator that asks what time it is, and counts. */
function clockReader(): { investigator: Investigator; seen: number[] } {
  const seen: number[] = [];
  const chance = createInvestigator("random");
  const investigate = async (...[input]: Parameters<Investigator["investigate"]>) => {
    seen.push(input.clock?.nowMs() ?? 0);
    return (await chance.investigate(input)) satisfies Investigation;
  };
  return { investigator: { name: "clock-reader", investigate }, seen };
}

describe.skipIf(Bun.which("prometheus") === null)("examineIncidents() (needs prometheus)", () => {
  beforeAll(async () => {
    await using system = await SmallSystem.start();
    await system.break();
    for (const repeat of [1, 2]) {
      const frozen = await freezeIncident({
        lab: system.lab(),
        alert: SMALL_ALERT,
        rulesText: RULES_TEXT,
        versions: { project: "0.1.0", bun: Bun.version },
      });
      const bytes = await frozen.pack();
      writeRecordedIncident(bundles, bytes, recordingOf(frozen.facts.id, bytes, repeat));
    }
  });
  afterAll(() => rmSync(root, { recursive: true }));

  test("keeps a run for each incident and investigator, and does none of them twice", async () => {
    const { investigator, seen } = clockReader();
    const investigators = [createInvestigator("random"), investigator];
    const { manifests, summary, folder } = await examine({ investigators });
    expect(manifests).toHaveLength(4);
    for (const { incident, outcome, score, timeline, scenario } of manifests) {
      expect(incident).toMatch(/^[0-9a-f]{16}$/);
      expect([outcome.kind, scenario]).toEqual(["valid", "sensor-down"]);
      expect(score).not.toBeNull();
      expect(timeline.map(({ name }) => name)).toEqual(["up", "inject", "frozen", "heal"]);
    }
    expect(summary.groups).toHaveLength(2);
    expect(existsSync(`${folder}/report.html`)).toBe(true);
    expect(seen).toHaveLength(2);
    // Telemetry's clock is fixed at the freeze, in the past.
    for (const ms of seen) expect(ms).toBeLessThan(systemClock.nowMs());
    const again = await examine({ investigators });
    expect(again.manifests).toHaveLength(4);
    expect(seen).toHaveLength(2);
  });

  test("a torn manifest is set aside by name, and costs one run", async () => {
    const { investigator, seen } = clockReader();
    await examine({ investigators: [investigator] });
    const runs = `${runsFolder(results)}/clock-reader/sensor-down`;
    const [first = ""] = readdirSync(runs);
    truncateSync(`${runs}/${first}/manifest.json`, 10);
    const { manifests } = await examine({ investigators: [investigator] });
    expect(manifests).toHaveLength(2);
    expect(seen).toHaveLength(3);
  });

  test("shards share a folder, and the merge is what one machine would have", async () => {
    const [one, two] = await Promise.all([
      examine({ shard: { index: 1, of: 2 } }),
      examine({ shard: { index: 2, of: 2 } }),
    ]);
    const idsOf = (runs: readonly { incident: string | null }[]): string[] =>
      runs.map(({ incident }) => String(incident)).toSorted();
    const parts = idsOf([...one.manifests, ...two.manifests]);
    expect(parts).toHaveLength(2);
    results = join(root, "alone");
    const { manifests } = await examine();
    expect(parts).toEqual(idsOf(manifests));
  });

  test("a folder that another program writes to is refused by name, also to a shard of the same number", async () => {
    await withRunsLocked(results, undefined, async () => {
      await expect(examine()).rejects.toThrow(/Cannot write to .*\/runs: another program does/);
      await expect(examine({ shard: { index: 1, of: 2 } })).rejects.toThrow("another program does");
    });
    await withRunsLocked(results, { index: 1, of: 2 }, async () => {
      await expect(examine()).rejects.toThrow("another program does");
      await expect(examine({ shard: { index: 1, of: 2 } })).rejects.toThrow("with shard 1/2");
      expect((await examine({ shard: { index: 2, of: 2 } })).manifests).toHaveLength(1);
    });
  });

  test("an agent that breaks is a defect of the run; the others are kept", async () => {
    const broken: Investigator = {
      name: "broken",
      investigate: () => Promise.reject(new TypeError("a defect")),
    };
    const { manifests } = await examine({
      investigators: [broken, createInvestigator("random")],
    });
    const kinds = manifests.map(({ investigator, outcome }) => `${investigator} ${outcome.kind}`);
    expect(kinds.toSorted()).toEqual([
      "broken harness-defect",
      "broken harness-defect",
      "random valid",
      "random valid",
    ]);
  });

  test("a bundle without its truth, and a folder without a bundle, are refused before anything starts", async () => {
    const alone = join(root, "alone.incident");
    cpSync(
      join(bundles, readdirSync(bundles).find((name) => name.endsWith(".incident")) ?? ""),
      alone,
    );
    const refused = examine({ paths: [alone] });
    await expect(refused).rejects.toThrow(UsageError);
    await expect(refused).rejects.toThrow("its truth must be at");
    await expect(examine({ paths: [join(bundles, "truth")] })).rejects.toThrow("*.incident");
    await expect(examine({ paths: [join(root, "nowhere")] })).rejects.toThrow("no such file");
    expect(existsSync(results)).toBe(false);
  });
});
