import { describe, expect, test } from "bun:test";
import { loadScenario } from "../../scenarios/load.ts";
import { applyBenignChange, benignChange, proveHarmless } from "./benign.ts";
import { systemClock } from "../base/clock.ts";
import type { PrometheusClient } from "../base/prometheus.ts";
import { SERVICES } from "../contract/topology.ts";
import { BASELINE_SECONDS } from "./steps.ts";
import { silent } from "./testing/silent.ts";

const scenario = await loadScenario("dds-qos-mismatch");
const seeds = Array.from({ length: 200 }, (_, seed) => seed);
const changes = seeds.map((seed) => benignChange(seed, 2, scenario));

describe("benignChange()", () => {
  test("is none in the first repeat, and the same for the same seed", () => {
    expect(seeds.map((seed) => benignChange(seed, 1, scenario)).filter(Boolean)).toEqual([]);
    expect(seeds.map((seed) => benignChange(seed, 2, scenario))).toEqual(changes);
  });

  test("is none, a restart of one service and a rollout of three about equally often", () => {
    const kinds = changes.map((change) => `${change?.kind} ${change?.services.length}`);
    expect([...new Set(kinds)].toSorted()).toEqual([
      "restart 1",
      "rollout 3",
      "undefined undefined",
    ]);
    for (const kind of new Set(kinds)) {
      expect(kinds.filter((each) => each === kind).length).toBeGreaterThan(40);
    }
  });

  test("leaves the service of the fault alone, and takes every other one at times, once", () => {
    const touched = changes.flatMap((change) => change?.services ?? []);
    expect(new Set(touched).size).toBe(7);
    expect(touched).not.toContain("esm-sensor");
    for (const { services } of changes.filter((change) => change !== undefined)) {
      expect(new Set(services).size).toBe(services.length);
    }
  });
});

test("a restart stops and starts, and a rollout replaces one after the other", async () => {
  const calls: string[] = [];
  const lab = {
    stop: async (name: string) => void calls.push(`stop ${name}`),
    start: async (name: string) => void calls.push(`start ${name}`),
    replace: async (name: string) => void calls.push(`replace ${name}`),
  };
  await applyBenignChange(lab, { kind: "restart", services: ["eo-sensor"] });
  await applyBenignChange(lab, { kind: "rollout", services: ["track-fusion", "eo-sensor"] });
  expect(calls).toEqual([
    "stop eo-sensor",
    "start eo-sensor",
    "replace track-fusion",
    "replace eo-sensor",
  ]);
});

test("the fault waits until the system has been healthy for a whole baseline since the change", async () => {
  // The series of the service's predecessor go on, so that history alone looks healthy at once.
  const values: readonly (readonly [RegExp, number])[] = [
    [/^sum\(up/, SERVICES.length],
    [/count_over_time/, BASELINE_SECONDS],
    [/./, 3],
  ];
  let looks = 0;
  const prometheus = {
    instant: async (query: string) => [
      { labels: {}, value: values.find(([pattern]) => pattern.test(query))?.[1] ?? 0 },
    ],
    alerts: async () => (looks++, []),
  } as unknown as PrometheusClient;
  let nowMs = 0;
  const clock = { ...systemClock, monotonicMs: () => (nowMs += 15_000) };
  const step = { prometheus, progress: silent, signal: new AbortController().signal };
  const change = { kind: "rollout", services: ["track-fusion"] } as const;
  const lab = { stop: async () => {}, start: async () => {}, replace: async () => {} };
  await proveHarmless(step, lab, change, 60_000, clock);
  expect(looks).toBe(Math.ceil(BASELINE_SECONDS / 15));
});
