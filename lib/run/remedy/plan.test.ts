import { afterEach, describe, expect, test } from "bun:test";
import { REMEDIATION_NAMES, type Remediation } from "../../contract/fault-classes.ts";
import {
  type Aspects,
  aspectsOf,
  changed,
  changesAnything,
  differencesOf,
  makeChange,
  planAct,
  putBack,
} from "./plan.ts";
import { readRemedy, type Act } from "./read-remedy.ts";
import { HeldLab } from "./testing/held-lab.ts";

const labs: HeldLab[] = [];
afterEach(async () => {
  for (const lab of labs.splice(0)) await lab[Symbol.asyncDispose]();
});

function heldLab(): HeldLab {
  const held = new HeldLab().beUp();
  labs.push(held);
  return held;
}

/** Every setting of this sensor is wrong. */
const ALL_WRONG: Partial<Aspects> = {
  env: {
    CMS_FORCE_QOS: "EXCLUSIVE_OWNERSHIP",
    CMS_DDS_DOMAIN: "7",
    PUBLISH_RATE_HZ: "200",
    CMS_INBOX_CAPACITY: "5",
    CMS_LEAK_RATE_BYTES: "10240",
    CMS_METRICS_PORT: "9",
    CMS_DEBUG_LINES: "100",
    CMS_OUTPUT: "dropped:0.5",
  },
  memoryLimitBytes: 256 * 2 ** 20,
  cpuQuotaCores: 0.01,
  network: "detached",
};

function act(action: Remediation, parameters: Record<string, string | number> = {}): Act {
  const read = readRemedy({ action, target: "esm-sensor", parameters });
  if (read.kind !== "act") throw new Error(read.why);
  return read.act;
}

/** The aspects that an action changes on a service with every setting wrong. */
async function changedBy(one: Act, wrong: Partial<Aspects> = ALL_WRONG): Promise<string[]> {
  const held = heldLab();
  held.set("esm-sensor", wrong);
  const before = aspectsOf(await held.state("esm-sensor"));
  const { change } = planAct(one, before);
  if (change !== null) await makeChange(held.lab, "esm-sensor", change);
  const after = aspectsOf(await held.state("esm-sensor"));
  if (change !== null) expect(after).toEqual(changed(before, change));
  const settings = Object.keys(ALL_WRONG.env ?? {}).filter(
    (name) => before.env[name] !== after.env[name],
  );
  const others = differencesOf(before, after).map((text) => text.split(" ")[1] ?? "");
  return [...others.filter((name) => name !== "env"), ...settings];
}

describe("an action changes its own aspect alone", () => {
  test.each([
    ["restart_service", []],
    ["start_service", []],
    ["raise_cpu_quota", ["cpuQuotaCores"]],
    ["raise_memory_limit", ["memoryLimitBytes"]],
    ["fix_leak_and_redeploy", ["CMS_LEAK_RATE_BYTES"]],
    ["restore_network", ["network"]],
    ["correct_qos_profile", ["CMS_FORCE_QOS"]],
    ["correct_dds_domain", ["CMS_DDS_DOMAIN"]],
    ["reduce_publish_rate", ["PUBLISH_RATE_HZ"]],
    ["scale_consumer", ["CMS_INBOX_CAPACITY"]],
    ["synchronise_clock", []],
    ["recalibrate_source", []],
    ["restore_monitoring", ["CMS_METRICS_PORT"]],
    ["reduce_log_volume", ["CMS_DEBUG_LINES"]],
    ["roll_back", ["memoryLimitBytes", ...Object.keys(ALL_WRONG.env ?? {})]],
  ] as const)("%s changes %j", async (action, wanted) => {
    expect(await changedBy(act(action))).toEqual([...wanted]);
  });

  test.each([
    ["time_offset:30", ["synchronise_clock"]],
    ["position_noise:500", ["recalibrate_source"]],
    ["not_a_number:0.5", ["recalibrate_source"]],
    ["repeated:20", ["reduce_publish_rate"]],
    ["dropped:0.5", []],
  ] as const)("what is published is put right by the action for it: %s", (value, wanted) => {
    const now = { ...canonical, env: { CMS_OUTPUT: value } };
    const fitting = REMEDIATION_NAMES.filter((name) => {
      const read = readRemedy({ action: name, target: "esm-sensor", parameters: {} });
      if (read.kind !== "act") return false;
      const { change } = planAct(read.act, now);
      return change?.kind === "configure" && !("CMS_OUTPUT" in change.env) && name !== "roll_back";
    });
    expect(fitting).toEqual([...wanted]);
  });

  test("correct_configuration changes the setting that it names", async () => {
    const setting = { setting: "PUBLISH_RATE_HZ" };
    expect(await changedBy(act("correct_configuration", setting))).toEqual(["PUBLISH_RATE_HZ"]);
  });

  test("only start and restart start an exited service", async () => {
    const exited = { state: "exited" } as const;
    const starting = REMEDIATION_NAMES.filter((name) => {
      const read = readRemedy({
        action: name,
        target: "esm-sensor",
        parameters: { setting: "CMS_SEED" },
      });
      if (read.kind !== "act") return false;
      return planAct(read.act, { ...canonical, ...exited }).change !== null;
    });
    expect(starting).toEqual(["start_service", "restart_service"]);
    const raise = act("raise_memory_limit");
    expect(planAct(raise, { ...canonical, ...exited, oomKilled: true }).change).not.toBeNull();
    expect(await changedBy(act("start_service"), exited)).toEqual(["state"]);
  });
});

const canonical: Aspects = {
  service: "esm-sensor",
  state: "running",
  oomKilled: false,
  env: {},
  memoryLimitBytes: null,
  cpuQuotaCores: null,
  network: "attached",
};

describe("a value that is said", () => {
  const wrong = { ...canonical, ...ALL_WRONG };
  test.each([
    ["raise_cpu_quota", { cores: 0.2 }, { kind: "quota", cores: 0.2 }],
    ["raise_cpu_quota", { cores: 0.01 }, null],
    ["raise_cpu_quota", { cores: 0.005 }, null],
    ["raise_memory_limit", { mib: 300 }, { memoryLimitBytes: 300 * 2 ** 20, env: wrong.env }],
    ["raise_memory_limit", {}, { memoryLimitBytes: 512 * 2 ** 20 }],
    ["raise_memory_limit", { mib: 200 }, null],
    ["reduce_publish_rate", { hz: 50 }, { env: { ...wrong.env, PUBLISH_RATE_HZ: "50" } }],
    ["reduce_publish_rate", { hz: 200 }, null],
    ["correct_qos_profile", { profile: "RELIABLE_KEEP_LAST" }, { kind: "configure" }],
  ] as const)("%s %j", (action, parameters, wanted) => {
    const { change } = planAct(act(action, parameters), wrong);
    if (wanted === null) expect(change).toBeNull();
    else expect(change).toMatchObject(wanted);
  });

  test("a service without a quota has none to raise", () => {
    expect(planAct(act("raise_cpu_quota", { cores: 1 }), canonical).change).toBeNull();
  });
});

test("acts that would change nothing are known beforehand", () => {
  expect(changesAnything([act("roll_back"), act("restore_network")], [canonical], {})).toBe(false);
  expect(changesAnything([act("roll_back"), act("restart_service")], [canonical], {})).toBe(true);
  expect(changesAnything([], [canonical], {})).toBe(false);
  // A service of which nothing is known may be changed.
  expect(changesAnything([act("roll_back")], [], {})).toBe(true);
  // A part of the fault that is not in a service's state, such as a packet filter.
  const remedied = (action: Remediation) =>
    action === "restore_network" ? () => Promise.resolve() : undefined;
  expect(changesAnything([act("restore_network")], [canonical], { remedied })).toBe(true);
  expect(changesAnything([act("roll_back")], [canonical], { remedied })).toBe(false);
});

test.each([
  ["all wrong", ALL_WRONG],
  ["exited", { state: "exited" }],
  ["exited with a quota", { state: "exited", cpuQuotaCores: 0.5 }],
  ["detached", { network: "detached" }],
] as const)("a service that was %s is put back exactly", async (_, wrong) => {
  const held = heldLab();
  held.set("esm-sensor", wrong);
  const before = await held.state("esm-sensor");
  await held.lab.replace("esm-sensor", {
    env: { PUBLISH_RATE_HZ: "1" },
    memoryLimitBytes: 2 ** 30,
  });
  await putBack(held.lab, before);
  expect(differencesOf(before, await held.state("esm-sensor"))).toEqual([]);
});

test("what did not change is left alone when a service is put back", async () => {
  const held = heldLab();
  held.set("esm-sensor", { cpuQuotaCores: 0.5 });
  const before = await held.state("esm-sensor");
  await held.lab.limitCpu("esm-sensor", null);
  held.calls.length = 0;
  await putBack(held.lab, before);
  expect(held.calls).toEqual(["quota esm-sensor 0.5"]);
});
