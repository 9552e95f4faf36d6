import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { cp, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { FAULT_CLASS_NAMES } from "../lib/contract/fault-classes.ts";
import { CONTAINER_METRICS, LOGS, METRICS } from "../lib/contract/telemetry.ts";
import { SERVICES } from "../lib/contract/topology.ts";
import type { FaultContext } from "./define.ts";
import { TruthSchema } from "../lib/truth/truth.ts";
import { composeScenario, drawsOf, loadKinds, nameOfDraws } from "./compose.ts";
import { type Draw, type NamedKind } from "./kind.ts";
import { loadScenario } from "./load.ts";

const kinds = [...(await loadKinds()).values()];
const faults = kinds.filter(({ faultClass }) => faultClass !== "none");

/** Each target of a kind with the minimum and maximum amount. */
const drawsWith = (kind: NamedKind): Draw[] =>
  kind.targets.flatMap((service) =>
    (kind.intensity === null ? [0] : [kind.intensity.min, kind.intensity.max]).map((amount) => ({
      kind,
      service,
      amount,
    })),
  );

describe("the kinds", () => {
  test("are at least 24, of which at least ten are particular to DDS", () => {
    expect(faults.length).toBeGreaterThanOrEqual(24);
    expect(faults.filter(({ dds }) => dds).length).toBeGreaterThanOrEqual(10);
  });

  test("stand behind every fault class, and each has a class", () => {
    const behind = new Set(faults.map(({ faultClass }) => faultClass));
    expect(FAULT_CLASS_NAMES.filter((name) => name !== "none" && !behind.has(name))).toEqual([]);
  });

  test.each(
    kinds.filter(({ faultClass }) => faultClass !== "none").map((one) => [one.name, one] as const),
  )("%s makes a scenario of each target and amount", async (name, kind) => {
    const known = new Set([
      "up",
      ...Object.keys(METRICS),
      ...Object.keys(CONTAINER_METRICS),
      ...Object.keys(LOGS),
    ]);
    for (const draw of drawsWith(kind)) {
      const spec = nameOfDraws([draw]);
      const scenario = await loadScenario(spec);
      expect(scenario).toMatchObject({ name: spec, control: false, fault: { kind: name } });
      expect(scenario.title).not.toContain("$");
      expect(TruthSchema.parse(scenario.truth)).toEqual(scenario.truth);
      expect(scenario.truth.faults[0]?.culprit).toBe(kind.culprit ?? draw.service);
      const named = scenario.truth.evidence.flatMap(({ any_of }) => any_of);
      expect(named.map(({ signal }) => signal).filter((one) => !known.has(one))).toEqual([]);
      expect(scenario.truth.evidence[0]?.shows_mechanism).toBe(true);
    }
  });
});

describe("a name", () => {
  test.each([
    "process-exit.eo-sensor",
    "packet-loss.radar-sensor.0.5",
    "process-exit.eo-sensor+wrong-domain.command-center.7",
    "harmless-restart.radar-sensor+process-exit.eo-sensor",
  ])("%s stands for its faults, there and back", async (name) => {
    expect(nameOfDraws(await drawsOf(name))).toBe(name);
    expect((await composeScenario(name)).name).toBe(name);
  });

  test("of something harmless adds nothing to the truth", async () => {
    const { truth } = await composeScenario("harmless-restart.radar-sensor+process-exit.eo-sensor");
    expect(truth.faults.map(({ culprit }) => culprit)).toEqual(["eo-sensor"]);
  });

  test.each([
    ["process-exit.radar", "process-exit.ts: targets: it must be one of radar-sensor"],
    ["packet-loss.track-fusion.0.5", "packet-loss.ts: targets: it must be one of"],
    [
      "packet-loss.radar-sensor.0.99",
      "intensity: it must be a number of share of the packets from 0.5 to 0.95, but is 0.99",
    ],
    ["packet-loss.radar-sensor", "intensity: it must be a number of share"],
    [
      "wrong-domain.eo-sensor.1.5",
      "intensity: it must be a whole number of DDS domain from 1 to 100",
    ],
    ["process-exit.eo-sensor.3", "intensity: it must be absent"],
    ["no-such.eo-sensor", "with one of the kinds"],
    [
      "process-exit.eo-sensor+process-freeze.eo-sensor",
      "must not undo each other, but both change eo-sensor",
    ],
    [
      "processor-quota.track-fusion.0.5+slow-leak.track-fusion.9000",
      "process: two faults must not undo",
    ],
    [
      "packet-loss.eo-sensor.0.5+one-way-cut.eo-sensor",
      "changes: two faults must not undo each other",
    ],
    ["harmless-restart.eo-sensor", "it must have 1 to 3 faults, but has 0"],
    [
      SERVICES.slice(0, 4)
        .map((name) => `process-exit.${name}`)
        .join("+"),
      "but has 4",
    ],
    [
      SERVICES.slice(0, 6)
        .map((name) => `process-exit.${name}`)
        .join("+"),
      "at most 5 parts",
    ],
  ])("%s is refused", async (name, rule) => {
    await expect(loadScenario(name)).rejects.toThrow(rule.replace("process: ", ""));
  });
});

describe("several faults and their remedies", () => {
  test("one repaired fault of two ends the signature, but not the harm", async () => {
    const { signature, harm } = await composeScenario(
      "process-exit.eo-sensor+process-exit.esm-sensor",
    );
    /** Both signatures hold for exited services. */
    const view = (...exited: readonly string[]) => {
      const instant = (query: string) => {
        const isExited = exited.some((service) => query.includes(service));
        const value = query.includes("exit_code") ? 0 : Number(isExited);
        return Promise.resolve([{ labels: {}, value }]);
      };
      return { prometheus: { instant } } as unknown as Parameters<typeof harm.holds>[0];
    };
    const looks = async (seen: ReturnType<typeof view>) => [
      (await signature.holds(seen)).ok,
      (await harm.holds(seen)).ok,
    ];
    expect(await looks(view("eo-sensor", "esm-sensor"))).toEqual([true, true]);
    expect(await looks(view("esm-sensor"))).toEqual([false, true]);
    expect(await looks(view())).toEqual([false, false]);
  });

  test("a remedy takes away what no state of a service shows, of its own target", async () => {
    const { remedied } = (await composeScenario("packet-loss.eo-sensor.0.9+one-way-cut.esm-sensor"))
      .fault;
    expect(remedied?.("restore_network", "eo-sensor")).toBeFunction();
    expect(remedied?.("restore_network", "esm-sensor")).toBeFunction();
    expect(remedied?.("restore_network", "radar-sensor")).toBeUndefined();
    expect(remedied?.("restart_service", "eo-sensor")).toBeUndefined();
    const load = (await composeScenario("host-contention.track-fusion.4")).fault;
    expect(load.remedied?.("relieve_host", "host")).toBeFunction();
    expect(load.remedied?.("relieve_host", "eo-sensor")).toBeUndefined();
  });
});

describe("several faults", () => {
  /** A kind that records its calls. */
  const said: string[] = [];
  const context = { log: () => {} } as unknown as FaultContext;

  test("are injected in order and healed in the opposite order, also when one fails", async () => {
    const { scenarioOf } = await import("./compose.ts");
    const noted = (name: string, fails = false): Draw => ({
      service: name === "first-one" ? "eo-sensor" : "esm-sensor",
      amount: 0,
      kind: {
        name,
        title: name,
        faultClass: "process_exited",
        changes: "process",
        targets: SERVICES,
        intensity: null,
        signature: () => [
          { what: name, query: name, op: ">", value: 0, shows: { kind: "metric", signal: "up" } },
        ],
        alerts: () => [{ uid: "service-down", labels: {} }],
        fault: () => ({
          kind: name,
          parameters: {},
          inject: async () => {
            if (fails) throw new Error("it failed");
            said.push(`inject ${name}`);
            return Promise.resolve(async () => void said.push(`heal ${name}`));
          },
          probe: () => Promise.resolve({ ok: true, seen: name }),
        }),
      },
    });
    const both = scenarioOf([noted("first-one"), noted("second-one")]);
    await (
      await both.fault.inject(context)
    )(() => {});
    expect(said).toEqual([
      "inject first-one",
      "inject second-one",
      "heal second-one",
      "heal first-one",
    ]);
    said.length = 0;
    const broken = scenarioOf([noted("first-one"), noted("second-one", true)]);
    await expect(broken.fault.inject(context)).rejects.toThrow("it failed");
    expect(said).toEqual(["inject first-one", "heal first-one"]);
    const asked: string[] = [];
    const prometheus = {
      instant: (query: string) => {
        asked.push(query);
        return Promise.resolve([{ metric: {}, value: query === "first-one" ? 1 : 0 }]);
      },
    };
    // Both signatures are required; one does not imply the other.
    const { ok } = await both.signature.holds({ prometheus } as never);
    expect([ok, asked]).toEqual([false, ["first-one", "second-one"]]);
  });
});

describe("a file of a kind", () => {
  let root = "";
  beforeAll(async () => {
    root = await mkdtemp(join(tmpdir(), "kinds-"));
    const project = join(import.meta.dir, "..");
    for (const part of [
      "lib/base",
      "lib/contract",
      "lib/truth",
      "lib/lab/lab.ts",
      "scenarios",
      "node_modules/zod",
    ]) {
      await cp(join(project, part), join(root, part), { recursive: true });
    }
  });
  afterAll(() => rm(root, { recursive: true, force: true }));

  test.each([
    [
      "no-signs",
      "signature: (service) => [",
      "signature: (service) => [].filter(() => service) ?? [",
      "signature: it must have a condition for",
    ],
    ["bad-class", '"process_exited"', '"gone"', "faultClass: it must be a class"],
    ["bad-change", 'changes: "process"', 'changes: "all"', "changes: it must be one of"],
    ["bad-target", "targets: SERVICES", 'targets: ["radar"]', "targets: it must name services"],
    [
      "bad-range",
      "intensity: null",
      'intensity: { unit: "s", min: 2, max: 1 }',
      "intensity: it must have a min below its max",
    ],
    [
      "bad-alert",
      "alerts: downAlerts",
      'alerts: () => [{ uid: "gone", labels: {} }]',
      "alerts: it must name rules",
    ],
    ["bad-export", "export const kind", "export const other", "kind: it must be exported"],
    ["noise", "", "", "name: it must be two lower-case words"],
  ])("%s is refused", async (name, from, to, rule) => {
    const folder = join(root, "scenarios", `kinds-${name}`);
    const text = await Bun.file(join(import.meta.dir, "kinds/process-exit.ts")).text();
    expect(text).toContain(from);
    await Bun.write(join(folder, `${name}.ts`), text.replace(from, to));
    await expect(loadKinds(folder)).rejects.toThrow(`scenarios/kinds/${name}.ts: ${rule}`);
  });
});

test("the README counts the kinds and pairs as they are", async () => {
  const text = await Bun.file(join(import.meta.dir, "../README.md")).text();
  const pairs = faults.reduce((sum, { targets }) => sum + targets.length, 0);
  const counts = [`${faults.length} kinds of fault`, `${pairs} pairs`];
  for (const count of counts) expect(text.replaceAll(/\s+/g, " ")).toContain(count);
});
