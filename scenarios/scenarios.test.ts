import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { cp, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { AlertSchema, withoutScenario } from "../lib/contract/alert.ts";
import { ALERT_RULES_FILE, parseAlertRules } from "../lib/contract/alert-rules.ts";
import { FAULT_CLASS_NAMES } from "../lib/contract/fault-classes.ts";
import { LOGS, METRICS, CONTAINER_METRICS } from "../lib/contract/telemetry.ts";
import { maxPoints } from "../lib/truth/truth.ts";
import { listScenarios, loadAllScenarios, loadScenario } from "./load.ts";

const all = await loadAllScenarios();
const project = new URL("..", import.meta.url).pathname;
const rules = parseAlertRules(await Bun.file(project + ALERT_RULES_FILE).text());

describe("the scenarios", () => {
  test("have the six of the contract and the two controls among them", () => {
    const named = (isControl: boolean): string[] =>
      all.filter(({ control }) => control === isControl).map(({ name }) => name);
    expect(named(false)).toEqual(
      expect.arrayContaining([
        "dds-qos-mismatch",
        "fusion-cpu-starvation",
        "memory-leak",
        "message-flood",
        "network-partition",
        "sensor-down",
      ]),
    );
    expect(named(true)).toEqual(expect.arrayContaining(["decoy", "healthy"]));
  });

  test("are worth as many points as the reference was measured with", () => {
    const points = Object.fromEntries(all.map(({ name, truth }) => [name, maxPoints(truth)]));
    expect(points).toMatchObject({
      "sensor-down": 3,
      "fusion-cpu-starvation": 4,
      "message-flood": 5,
      "network-partition": 4,
      "dds-qos-mismatch": 5,
      "memory-leak": 5,
    });
  });

  test.each(all.map((scenario) => [scenario.name, scenario] as const))(
    "%s expects evidence by names that exist",
    (_, { truth }) => {
      const prometheusOwn = ["up", "ALERTS", "alert_state", "process_resident_memory_bytes"];
      const known = new Set([
        ...Object.keys(METRICS),
        ...Object.keys(LOGS),
        ...Object.keys(CONTAINER_METRICS),
        ...prometheusOwn,
      ]);
      const named = truth.evidence.flatMap(({ any_of }) => any_of.map(({ signal }) => signal));
      expect(named.filter((signal) => !known.has(signal))).toEqual([]);
      for (const { fault_class } of truth.faults) expect(FAULT_CLASS_NAMES).toContain(fault_class);
    },
  );

  test.each(all.map((scenario) => [scenario.name, scenario] as const))(
    "%s: its alert is the rule's, by name and severity",
    (_, { alerts, alertTemplate }) => {
      const rule = rules.find(({ uid }) => uid === alerts[0]?.uid);
      expect(alertTemplate).toMatchObject({
        alert_name: rule?.title,
        severity: rule?.severity,
        title: `[FIRING:1] ${rule?.title}`,
      });
    },
  );

  test.each(all.map((scenario) => [scenario.name, scenario] as const))(
    "%s hands out an alert without a word of the scenario",
    (name, { alertTemplate, fault }) => {
      const seen = JSON.stringify(withoutScenario(alertTemplate));
      expect(AlertSchema.safeParse(withoutScenario(alertTemplate)).success).toBe(true);
      expect(seen).not.toContain(name);
      expect(seen).not.toContain(fault.kind);
      expect(seen).not.toMatch(/fingerprint|execution_run_id|correlation_id/);
    },
  );
});

describe("loadScenario()", () => {
  let root = "";
  const write = (file: string, text: string): Promise<number> =>
    Bun.write(join(root, "scenarios", file), text);

  beforeAll(async () => {
    root = await mkdtemp(join(tmpdir(), "scenarios-"));
    await cp(import.meta.dir, join(root, "scenarios"), { recursive: true });
    await cp(join(import.meta.dir, "../lib/base"), join(root, "lib/base"), { recursive: true });
    await cp(join(import.meta.dir, "../lib/contract"), join(root, "lib/contract"), {
      recursive: true,
    });
    await cp(join(import.meta.dir, "../node_modules/zod"), join(root, "node_modules/zod"), {
      recursive: true,
    });
  });
  afterAll(() => rm(root, { recursive: true, force: true }));

  /** Copies sensor-down under a new name and changes one file. */
  async function variant(name: string, file: string, change: (text: string) => string) {
    const folder = join(root, "scenarios", name);
    await cp(join(import.meta.dir, "sensor-down"), folder, { recursive: true });
    const alert = await Bun.file(join(folder, "alert.json")).text();
    await Bun.write(join(folder, "alert.json"), alert.replace('"sensor-down"', `"${name}"`));
    await Bun.write(join(folder, file), change(await Bun.file(join(folder, file)).text()));
    return loadScenario(name, join(root, "scenarios"));
  }

  test("finds a new scenario by its folder alone", async () => {
    const added = await variant("radar-gone", "scenario.ts", (text) =>
      text.replace("The radar's process ends", "Another title"),
    );
    expect(added).toMatchObject({ name: "radar-gone", title: "Another title" });
    expect(await listScenarios(join(root, "scenarios"))).toContain("radar-gone");
  });

  test("takes several alerts, of which any one may fire", async () => {
    const single = 'alert: { uid: "sensor-down", labels: { instance: "radar-sensor:9101" } },';
    const several =
      'alert: [{ uid: "sensor-rate-off", labels: {} }, { uid: "service-down", labels: {} }],';
    const { alerts } = await variant("either-way", "scenario.ts", (text) => {
      expect(text).toContain(single);
      return text.replace(single, several);
    });
    expect(alerts.map(({ uid }) => uid)).toEqual(["sensor-rate-off", "service-down"]);
  });

  test("refuses an unknown name and lists what exists", async () => {
    await expect(loadScenario("nope")).rejects.toThrow(/"nope": it must be one of .*sensor-down/);
    await expect(loadScenario("../lib")).rejects.toThrow("must be one of");
  });

  const bad: readonly (readonly [string, string, string, string, string])[] = [
    ["bad-key", "scenario.ts", "  truth,", "  truth,\n  colour: 1,", 'Unrecognized key: "colour"'],
    ["bad-uid", "scenario.ts", 'uid: "sensor-down"', 'uid: "sensor-gone"', "alert.0.uid"],
    ["bad-truth", "truth.ts", '"process_exited"', '"gone"', "truth.faults.0.fault_class"],
    [
      "bad-service",
      "truth.ts",
      'culprit: "radar-sensor"',
      'culprit: "radar"',
      "truth.faults.0.culprit",
    ],
    [
      "bad-fault",
      "scenario.ts",
      'service: "radar-sensor"',
      'service: "radar"',
      "fault.parameters.service",
    ],
    [
      "bad-instance",
      "scenario.ts",
      'instance: "radar-sensor',
      'instance: "radar',
      "alert.0.labels.instance",
    ],
    [
      "bad-deadline",
      "scenario.ts",
      "  truth,",
      "  deadlines: { alertMs: -1 },\n  truth,",
      "deadlines.alertMs",
    ],
    [
      "odd-deadline",
      "scenario.ts",
      "  truth,",
      "  deadlines: { soonMs: 1 },\n  truth,",
      'deadlines: Unrecognized key: "soonMs"',
    ],
    [
      "odd-truth",
      "truth.ts",
      "also_accept: [],",
      "also_accept: [], also: 1,",
      'truth.faults.0: Unrecognized key: "also"',
    ],
    [
      "odd-alert",
      "alert.json",
      '"state"',
      '"fingerprint": "x",\n  "state"',
      'Unrecognized key: "fingerprint"',
    ],
    ["latest", "scenario.ts", "", "", "the name is taken"],
    ["no-truth", "scenario.ts", "  truth,\n", "", "truth: "],
    ["bad-alert", "alert.json", '"pipeline_name": "radar-sensor"', '"x": 1', "alert.json"],
    ["not-json", "alert.json", "{", "", "it must be JSON"],
    ["bad-rca", "expected_rca.md", "start_service", "stop_service", "expected_rca.md"],
    ["bad-code", "scenario.ts", "export const", "export konst", "it must be a module"],
    ["bad-export", "scenario.ts", "const scenario", "const other", "must export `scenario`"],
  ];
  test.each(bad)("refuses %s: %s with %p as %p", async (name, file, from, to, message) => {
    const loading = variant(name, file, (text) => text.replace(from, to));
    await expect(loading).rejects.toThrow(message);
    await expect(loading).rejects.toThrow(`scenarios/${name}/`);
  });

  test("refuses a folder whose alert.json names another scenario", async () => {
    await write(
      "mixed/scenario.ts",
      await Bun.file(join(import.meta.dir, "healthy/scenario.ts")).text(),
    );
    await write("mixed/truth.ts", await Bun.file(join(import.meta.dir, "healthy/truth.ts")).text());
    await write(
      "mixed/alert.json",
      await Bun.file(join(import.meta.dir, "healthy/alert.json")).text(),
    );
    await expect(loadScenario("mixed", join(root, "scenarios"))).rejects.toThrow(
      'it must be the folder\'s name, but is "healthy"',
    );
  });
});
