import { describe, expect, test } from "bun:test";
import { loadScenario } from "../../scenarios/load.ts";
import { applyBenignChange, benignChange } from "./benign.ts";

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
