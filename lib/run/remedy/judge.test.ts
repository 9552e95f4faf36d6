import { afterEach, expect, test } from "bun:test";
import { systemClock } from "../../base/clock.ts";
import { createPrometheusClient } from "../../base/prometheus.ts";
import type { Observation } from "../../base/wait.ts";
import type { ServiceName } from "../../contract/topology.ts";
import type { Verdicts } from "../../score/run-record.ts";
import { loadScenario, type Scenario } from "../../../scenarios/load.ts";
import { silent } from "../testing/silent.ts";
import { isRepaired } from "./judge.ts";
import type { Act } from "./read-remedy.ts";
import { RemedySession, servicesOf } from "./remedy-session.ts";
import { HeldLab } from "./testing/held-lab.ts";

const sensorDown = await loadScenario("sensor-down");
const control = await loadScenario("decoy");

/** A clock with immediate waits. */
function hastyClock() {
  let nowMs = 0;
  return {
    ...systemClock,
    nowMs: () => nowMs,
    monotonicMs: () => nowMs,
    sleep: async (ms: number) => {
      nowMs += ms;
      await Promise.resolve();
    },
  };
}

const labs: HeldLab[] = [];
afterEach(async () => {
  for (const lab of labs.splice(0)) await lab[Symbol.asyncDispose]();
});

type Harm = (held: HeldLab, second: number) => boolean | Promise<boolean>;

interface Case {
  readonly scenario?: Scenario;
  /** The fault when the remedy begins. */
  readonly broken?: (held: HeldLab) => void;
  /** Whether the fault does harm; by default, the signature of sensor-down. */
  readonly harm?: Harm;
  readonly acts?: readonly Act[];
  /** Changes in addition to the remedy. */
  readonly beside?: (held: HeldLab) => void;
}

const act = (action: Act["action"], target: ServiceName): Act => ({
  action,
  target,
  setting: null,
  value: null,
});

const stopRadar = (held: HeldLab): void =>
  held.set("radar-sensor", { state: "exited", exitCode: 0 });

async function judged(
  one: Case,
): Promise<{ held: HeldLab; verdicts: Verdicts; session: RemedySession }> {
  const { scenario = sensorDown, broken = stopRadar, harm, acts = [], beside } = one;
  const held = new HeldLab().beUp();
  labs.push(held);
  const healthy = await servicesOf(held.lab);
  broken(held);
  const clock = hastyClock();
  const holds = async (): Promise<Observation<unknown>> => {
    const ok = (await harm?.(held, clock.nowMs() / 1000)) ?? false;
    return { ok, seen: String(ok) };
  };
  const session = await RemedySession.begin({
    lab: held.lab,
    prometheus: createPrometheusClient(`http://localhost:${held.ports.prometheus}`),
    scenario: harm === undefined ? scenario : { ...scenario, harm: { describe: "harm", holds } },
    healthy,
    progress: silent,
    signal: new AbortController().signal,
    clock,
  });
  for (const each of acts) await session.apply(each);
  beside?.(held);
  return { held, verdicts: await session.judge(), session };
}

const inShort = (verdicts: Verdicts): string =>
  Object.values(verdicts)
    .map(({ holds }) => (holds === null ? "-" : holds ? "y" : "n"))
    .join("");

const START = act("start_service", "radar-sensor");

// In the order of the verdicts: gone, stays gone, survives a restart, data flows, nothing else
// changed.
test.each<readonly [string, Case, string]>([
  ["the fitting remedy", { acts: [START] }, "yyyyy"],
  ["nothing is done", {}, "n---y"],
  ["the fault comes back after a minute", { acts: [START], harm: (_, s) => s > 60 }, "yn--y"],
  [
    "the fault comes back with the restart",
    {
      acts: [START],
      harm: async (held) => held.calls.filter((call) => call === "start radar-sensor").length > 1,
    },
    "yyn-y",
  ],
  [
    "the fault takes a minute to go, also after the restart",
    {
      acts: [START],
      harm: (held, s) => s < 60 || (held.calls.includes("stop radar-sensor") && s > 184 && s < 245),
    },
    "yyyyy",
  ],
  [
    "another sensor is silent",
    { acts: [START], beside: (held) => held.set("eo-sensor", { network: "detached" }) },
    "yyynn",
  ],
  [
    "an innocent service is restarted too",
    { acts: [START, act("restart_service", "eo-sensor")] },
    "yyyyn",
  ],
  ["a control is left alone", { scenario: control, broken: () => {} }, "---yy"],
  [
    "a control is restarted",
    { scenario: control, broken: () => {}, acts: [act("restart_service", "track-fusion")] },
    "---yn",
  ],
])("%s", async (_, one, wanted) => {
  const { verdicts } = await judged(one);
  expect(inShort(verdicts)).toBe(wanted);
  expect(isRepaired(verdicts)).toBe(!wanted.includes("n"));
});

test("a raised limit may stay where it fits the fault, and nowhere else", async () => {
  const starved = await loadScenario("fusion-cpu-starvation");
  const quota: Act = { ...act("raise_cpu_quota", "track-fusion"), value: 0.5 };
  const broken = (held: HeldLab): void => held.set("track-fusion", { cpuQuotaCores: 0.01 });
  const fitting = await judged({ scenario: starved, broken, harm: () => false, acts: [quota] });
  expect(inShort(fitting.verdicts)).toBe("yyyyy");
  const memory = act("raise_memory_limit", "track-fusion");
  const both = await judged({
    scenario: starved,
    broken,
    harm: () => false,
    acts: [quota, memory],
  });
  expect(inShort(both.verdicts)).toBe("yyyyn");
  expect(both.verdicts.nothing_else_changed.seen).toContain("memoryLimitBytes");
});

test("everything is undone exactly, also what the restart of the judgement changed", async () => {
  const { held, session } = await judged({
    acts: [START, act("raise_memory_limit", "eo-sensor"), act("restart_service", "esm-sensor")],
  });
  await session.undo();
  for (const was of session.before) {
    const { startedUnixMs: _, ...aspects } = was;
    expect(await held.state(was.service)).toMatchObject(aspects);
  }
});

test("an undo that has no effect is an error, not a silence", async () => {
  const { held, session } = await judged({ acts: [act("raise_memory_limit", "eo-sensor")] });
  held.stubborn = "eo-sensor";
  expect(session.undo()).rejects.toThrow("Cannot undo the remedy: eo-sensor: memoryLimitBytes");
});

test("a part of the fault that no state shows is taken away by the remedy that fits it", async () => {
  const filtered = { isSet: true };
  const remedied: Scenario["fault"]["remedied"] = (action, target) =>
    action === "restore_network" && target === "radar-sensor"
      ? () => Promise.resolve(void (filtered.isSet = false))
      : undefined;
  const scenario = { ...sensorDown, fault: { ...sensorDown.fault, remedied } };
  const one = { scenario, broken: () => {}, harm: () => filtered.isSet };
  const wrong = await judged({ ...one, acts: [act("restore_network", "eo-sensor")] });
  expect(inShort(wrong.verdicts)).toBe("n---y");
  const right = await judged({ ...one, acts: [act("restore_network", "radar-sensor")] });
  expect(inShort(right.verdicts)).toBe("yyyyy");
});
