/**
 * Tests the recorded incidents in the repository: complete, small, without the truth, and usable
 * for examinations.
 */
import { afterAll, describe, expect, test } from "bun:test";
import { mkdtempSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { openBundle } from "../incident/bundle.ts";
import { unpackedTexts } from "../incident/unpacked-texts.ts";
import { createInvestigator } from "../investigate/registry.ts";
import { listScenarios, loadScenario } from "../../scenarios/load.ts";
import { examineIncidents } from "./examine-incidents.ts";
import { leaksIn, recordingSecretsOf } from "./leaks.ts";
import { bundlesIn, readRecording, sha256Of } from "./recorded-incident.ts";
import { silent } from "./testing/silent.ts";

const FOLDER = new URL("../../results/incidents", import.meta.url).pathname;
const MB = 1_000_000;
/** A leak takes minutes to show, and a flood has many messages; neither is shortened. */
const LIMITS: Readonly<Record<string, number>> = { "memory-leak": 3 * MB, "message-flood": 6 * MB };
const USUAL_LIMIT = 1.5 * MB;
const LIMIT_OF_ALL = 40 * MB;

const temporary = mkdtempSync(join(tmpdir(), "published-incidents-"));
afterAll(() => rmSync(temporary, { recursive: true }));
const incidents = bundlesIn([FOLDER]).map(readRecording);

test("there are as many as may be published, of known scenarios, each once", async () => {
  const names = incidents.map(({ recording }) => recording.scenario);
  expect(new Set(names).size).toBe(names.length);
  const known = await listScenarios();
  expect(names.filter((name) => !known.includes(name))).toEqual([]);
  const bytes = incidents.map(({ bundlePath }) => statSync(bundlePath).size);
  expect(bytes.reduce((sum, size) => sum + size, 0)).toBeLessThan(LIMIT_OF_ALL);
});

describe.each(incidents.map((one) => [one.recording.incident, one] as const))("%s", (id, one) => {
  const { recording, bundlePath } = one;

  test("is valid, small, and the bundle that its truth speaks of", () => {
    expect(recording.outcome).toEqual({ kind: "valid" });
    expect(openBundle(bundlePath).manifest.id).toBe(id);
    expect(sha256Of(readFileSync(bundlePath))).toBe(recording.bundle_sha256);
    const limit = LIMITS[recording.scenario] ?? USUAL_LIMIT;
    expect(statSync(bundlePath).size).toBeLessThan(limit);
    const steps = recording.timeline.map(({ name }) => name);
    for (const step of ["signature", "alert-firing", "frozen", "heal", "signature-gone"] as const) {
      expect(steps).toContain(step);
    }
  });

  test("says nothing of its scenario, in any symbol, row or answer", async () => {
    const folder = join(temporary, id);
    const { manifest, unpack } = openBundle(bundlePath);
    await unpack(folder);
    const entries = manifest.entries.map(({ path }) => ({
      path,
      content: readFileSync(join(folder, path)),
    }));
    const secrets = recordingSecretsOf(await loadScenario(recording.scenario));
    const seeds = recording.seed < 1e7 ? [] : [String(recording.seed)];
    let texts = 0;
    for (const { where, text } of unpackedTexts(entries)) {
      texts++;
      expect(leaksIn(text, [...secrets, ...seeds]), where).toEqual([]);
    }
    expect(texts).toBeGreaterThan(1000);
  });
});

test.skipIf(Bun.which("prometheus") === null)(
  "the baseline examines all of them, without a lab (needs prometheus)",
  async () => {
    const { manifests } = await examineIncidents(
      {
        signal: new AbortController().signal,
        progress: () => silent,
        claimLab: () => undefined,
        createLab: () => {
          throw new Error("an examination starts no lab");
        },
      },
      {
        paths: [FOLDER],
        investigators: [createInvestigator("baseline")],
        parallel: 2,
        again: false,
        results: join(temporary, "results"),
      },
    );
    expect(manifests.map(({ outcome }) => outcome.kind)).toEqual(incidents.map(() => "valid"));
    expect(manifests.every(({ score }) => score !== null)).toBe(true);
  },
  300_000,
);
