import { afterEach, expect, test } from "bun:test";
import { systemClock } from "../../base/clock.ts";
import { createPrometheusClient } from "../../base/prometheus.ts";
import type { Remedy } from "../../contract/answer.ts";
import { random } from "../../investigate/floors/random.ts";
import type { Investigator } from "../../investigate/investigator.ts";
import { toolsetFor } from "../../investigate/toolbox.ts";
import { loadScenario } from "../../../scenarios/load.ts";
import { runIncident } from "../incident.ts";
import { BUDGET } from "../investigators.ts";
import { readRules } from "../rules.ts";
import { silent } from "../testing/silent.ts";
import { LiveRemedies } from "./live.ts";
import { servicesOf } from "./remedy-session.ts";
import { HeldLab } from "./testing/held-lab.ts";

const labs: HeldLab[] = [];
afterEach(async () => {
  for (const lab of labs.splice(0)) await lab[Symbol.asyncDispose]();
});

async function liveLab(): Promise<{ held: HeldLab; live: LiveRemedies }> {
  const held = new HeldLab().beUp();
  labs.push(held);
  const healthy = await servicesOf(held.lab);
  await held.lab.stop("radar-sensor");
  held.calls.length = 0;
  const live = await LiveRemedies.begin({
    lab: held.lab,
    prometheus: createPrometheusClient(`http://localhost:${held.ports.prometheus}`),
    scenario: await loadScenario("sensor-down"),
    healthy,
    progress: silent,
    signal: new AbortController().signal,
    patience: { settleMs: 1, goneMs: 20, holdMs: 20, restartedMs: 20, flowMs: 20 },
  });
  return { held, live };
}

const remedy = (action: Remedy["action"], target: Remedy["target"]): Remedy => ({
  action,
  target,
  parameters: {},
  prose: "",
});

test("the steps of an agent are judged together, and undone", async () => {
  const { held, live } = await liveLab();
  await live.apply(remedy("restore_network", "radar-sensor"));
  await live.apply(remedy("start_service", "radar-sensor"));
  expect(await live.settle()).toMatchObject({
    repaired: true,
    acts: ["restore_network radar-sensor", "start_service radar-sensor"],
    execution: null,
  });
  expect(await held.state("radar-sensor")).toMatchObject({ state: "exited" });
});

test("who does not act has no repair, and nothing is touched", async () => {
  const { held, live } = await liveLab();
  live.preview(remedy("start_service", "radar-sensor"));
  expect(await live.settle()).toBeUndefined();
  expect(held.calls).toEqual([]);
});

test("neither a dry run nor a step says what state it found", async () => {
  const { live } = await liveLab();
  for (const action of ["start_service", "roll_back", "correct_qos_profile"] as const) {
    const [broken, whole] = (["radar-sensor", "eo-sensor"] as const).map((target) =>
      live.preview(remedy(action, target)).replaceAll(target, "it"),
    );
    expect(broken).toBe(whole ?? "");
    const said = await live.apply(remedy(action, "eo-sensor"));
    expect(said).toBe(`carried out: ${live.preview(remedy(action, "eo-sensor"))}`);
  }
});

test("what cannot be carried out is refused with the reason", async () => {
  const { held, live } = await liveLab();
  expect(() => live.preview(remedy("restart_service", "host"))).toThrow("needs a service");
  expect(live.apply(remedy("no_action", null))).rejects.toThrow("changes nothing");
  expect(held.calls).toEqual([]);
});

/** A clock that advances a second with each reading, with immediate waits. */
function hastyClock() {
  let nowMs = Date.parse("2026-01-01T00:00:00Z");
  const now = (): number => (nowMs += 1000);
  const sleep = (ms: number): Promise<void> => Promise.resolve(void (nowMs += ms));
  return { ...systemClock, nowMs: now, monotonicMs: now, sleep };
}

test("in a live incident one agent repairs, and the next one finds it broken again", async () => {
  const held = new HeldLab();
  labs.push(held);
  const seen: string[] = [];
  const agent = (name: string, acts: boolean): Investigator => ({
    name,
    investigate: async (input) => {
      const tools = toolsetFor(input);
      const remedy = { action: "start_service", target: "radar-sensor" };
      seen.push(`${name}: ${(await held.state("radar-sensor")).state}`);
      for (const dry_run of acts ? [true, false] : [true]) {
        expect(await tools.call("apply", { ...remedy, dry_run })).toMatchObject({ ok: true });
      }
      seen.push(`${name}: ${(await held.state("radar-sensor")).state}`);
      return random.investigate(input);
    },
  });
  const incident = await runIncident(await loadScenario("sensor-down"), {
    lab: held.lab,
    rules: readRules(),
    investigators: [agent("acting", true), agent("looking", false)],
    budget: BUDGET,
    seed: 1,
    keepTelemetry: false,
    signal: new AbortController().signal,
    progress: silent,
    clock: hastyClock(),
  });
  expect(incident.outcome).toEqual({ kind: "valid" });
  expect(seen).toEqual(["acting: exited", "acting: running", "looking: exited", "looking: exited"]);
  const [first, second] = incident.looks;
  expect(first?.repair).toMatchObject({ repaired: true, acts: ["start_service radar-sensor"] });
  expect(second?.repair).toBeUndefined();
  expect(await held.lab.status()).toBeNull();
});
