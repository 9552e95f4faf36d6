import { describe, expect, test } from "bun:test";
import { mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DeadlineError } from "../base/errors.ts";
import { AlertSchema } from "../contract/alert.ts";
import { loadScenario } from "../../scenarios/load.ts";
import { alertPayload } from "./alert-payload.ts";
import { checkResultsFolder, readManifests, readRun, writeRun } from "./artefacts.ts";
import type { Incident } from "./incident.ts";
import { manifestOf } from "./manifest.ts";
import { readRules } from "./rules.ts";
import { isAlertOf, within } from "./steps.ts";

const scenario = await loadScenario("sensor-down");
const rule = readRules().find(({ uid }) => uid === "sensor-down");
if (rule === undefined) throw new Error("the rule exists");

const fired = {
  labels: {
    alertname: "Sensor down",
    instance: "radar-sensor:9101",
    job: "cms-services",
    severity: "critical",
    uid: "sensor-down",
  },
  annotations: { summary: "S", description: "radar-sensor:9101 has gone" },
  state: "firing" as const,
  activeAt: "2026-01-01T00:00:10Z",
  value: "1e+00",
};

describe("alertPayload()", () => {
  test("takes time, labels, texts and value from what fired", () => {
    const alert = alertPayload(scenario.alertTemplate, fired, rule);
    expect(AlertSchema.safeParse(alert).success).toBe(true);
    expect(alert.alerts[0]).toMatchObject({
      status: "firing",
      // The condition became true at 10 s, and the rule waits for 30 s.
      startsAt: "2026-01-01T00:00:40.000Z",
      values: { A: 1 },
    });
    expect(alert.commonLabels).toMatchObject({
      alert_source: "grafana",
      pipeline_name: "radar-sensor",
      instance: "radar-sensor:9101",
    });
    expect(alert.commonLabels["uid"]).toBeUndefined();
    expect(alert.message).toBe("S. radar-sensor:9101 has gone");
    expect(alert.commonAnnotations["scenario"]).toBe("sensor-down");
  });
});

test("alertPayload() names the alert that fired, whichever the template has", () => {
  const other = readRules().find(({ uid }) => uid === "picture-stale");
  if (other === undefined) throw new Error("the file has no rule picture-stale");
  const alert = alertPayload({ ...scenario.alertTemplate, severity: "warning" }, fired, other);
  expect(alert).toMatchObject({
    title: "[FIRING:1] Picture stale",
    alert_name: "Picture stale",
    severity: "critical",
    commonLabels: { alertname: "Picture stale", severity: "critical" },
  });
});

describe("isAlertOf()", () => {
  test("wants the rule's title and every label", () => {
    expect(isAlertOf(fired, rule, { instance: "radar-sensor:9101" })).toBe(true);
    expect(isAlertOf(fired, rule, { instance: "esm-sensor:9102" })).toBe(false);
    const other = { ...fired, labels: { ...fired.labels, alertname: "Sensor flood" } };
    expect(isAlertOf(other, rule, {})).toBe(false);
  });
});

describe("within()", () => {
  test("gives what the change gives, and gives up on one that never ends", async () => {
    expect(await within("a change", 60_000, () => Promise.resolve(5))).toBe(5);
    const never = within("a change", 1, () => new Promise<never>(() => {}));
    await expect(never).rejects.toThrow(DeadlineError);
    await expect(never).rejects.toThrow("Gave up on a change after 0.0 s");
    const failing = within("a change", 60_000, () => Promise.reject(new Error("no")));
    await expect(failing).rejects.toThrow("no");
  });
});

describe("artefacts", () => {
  const incident: Incident = {
    scenario,
    outcome: { kind: "environment-invalid", phase: "baseline", reason: "too slow" },
    timeline: [{ name: "up", unixMs: 1000 }],
    alert: null,
    looks: [],
    frozen: null,
    frozenLater: null,
    metricPoints: [[1000, 2]],
    injectLog: [],
    cleanupLog: ["healed"],
    runLog: ["one", "two"],
  };
  const manifest = manifestOf(incident, undefined, {
    investigator: "ollama:a/b",
    repeat: 1,
    incident: null,
    seed: 5,
    engine: "native",
    isolation: "fresh",
    earlier: [{ kind: "environment-invalid", phase: "up", reason: "no memory" }],
    versions: {},
  });

  test("a run is written whole, replaces the one before, and reads back", async () => {
    const folder = await mkdtemp(join(tmpdir(), "results-"));
    writeRun(join(folder, "run"), incident, undefined, manifest);
    await Bun.write(join(folder, "run/stale.txt"), "old");
    writeRun(join(folder, "run"), incident, undefined, manifest);
    expect((await readdir(join(folder, "run"))).toSorted()).toEqual([
      "alert.json",
      "cleanup.log",
      "evidence.jsonl",
      "inject.log",
      "manifest.json",
      "rca.json",
      "run.log",
      "score.json",
    ]);
    expect(await Bun.file(join(folder, "run/run.log")).text()).toBe("one\ntwo\n");
    expect(await readManifests(folder)).toEqual([{ path: join(folder, "run"), manifest }]);
    expect(await readRun(join(folder, "run"))).toEqual({ answer: null, evidence: [] });
    expect(manifest).toMatchObject({
      score: null,
      attempts: 2,
      earlier_attempts: [{ phase: "up", reason: "no memory" }],
      outcome: incident.outcome,
    });
    await rm(folder, { recursive: true });
  });

  test("a point without a value is dropped, and spoils no manifest", async () => {
    const folder = await mkdtemp(join(tmpdir(), "results-"));
    const points = [
      [1000, Number.NaN],
      [2000, 5],
    ];
    const spoilt = { ...manifest, metric: { ...manifest.metric, points } };
    await Bun.write(join(folder, "a/manifest.json"), JSON.stringify(spoilt));
    const [read] = await readManifests(folder);
    expect(read?.manifest.metric.points).toEqual([[2000, 5]]);
    await rm(folder, { recursive: true });
  });

  test("a manifest of another shape is refused with the file and the key", async () => {
    const folder = await mkdtemp(join(tmpdir(), "results-"));
    await Bun.write(
      join(folder, "a/manifest.json"),
      JSON.stringify({ ...manifest, schema_version: 9 }),
    );
    await expect(readManifests(folder)).rejects.toThrow("a/manifest.json: schema_version");
    await rm(folder, { recursive: true });
  });

  test("a results folder that cannot be written is known before the run", () => {
    expect(() => checkResultsFolder("/proc/results")).toThrow(
      "Cannot keep results in /proc/results",
    );
  });
});
