import { describe, expect, test } from "bun:test";
import { createPrng } from "../lib/base/prng.ts";
import { FAULT_CLASS_NAMES } from "../lib/contract/fault-classes.ts";
import { drawsOf, loadKinds, nameOfDraws, scenarioOf } from "./compose.ts";
import { allPairs, amountAt, drawIncident, FIRST_TEST_SEED, isTestSeed, QUICK } from "./space.ts";

const heldOut = [...(await loadKinds()).values()]
  .filter((kind) => kind.heldOut === true)
  .map(({ name }) => name);

const drawn = (seed: number, count: number) =>
  Promise.all(Array.from({ length: count }, (_, i) => drawIncident(createPrng(seed), seed, i + 1)));

describe("drawIncident()", () => {
  test("the same seed draws the same, whatever was drawn before", async () => {
    const names = (all: Awaited<ReturnType<typeof drawn>>): string[] =>
      all.map(({ draws, onsetSeconds }) => `${nameOfDraws(draws)} ${onsetSeconds}`);
    const first = names(await drawn(7, 20));
    expect(names(await drawn(7, 20))).toEqual(first);
    expect(names([await drawIncident(createPrng(7), 7, 20)])).toEqual(first.slice(19));
    expect(names(await drawn(8, 20))).not.toEqual(first);
  });

  test("whatever is drawn is a scenario that loads, and its name is all of it", async () => {
    for (const { draws } of await drawn(1, 300)) {
      const name = nameOfDraws(draws);
      expect(nameOfDraws(await drawsOf(name))).toBe(name);
      expect(scenarioOf(draws).truth.faults.length).toBeGreaterThan(0);
    }
  });

  test("draws single faults, two at once, and a fault after something harmless", async () => {
    const sizes = (await drawn(2, 300)).map(({ draws }) => {
      const isHarmless = draws[0]?.kind.faultClass === "none";
      return draws.length === 1 ? "one" : isHarmless ? "benign" : "two";
    });
    const share = (what: string): number => sizes.filter((one) => one === what).length / 300;
    expect(share("one")).toBeGreaterThan(0.5);
    expect(share("two")).toBeGreaterThan(0.08);
    expect(share("benign")).toBeGreaterThan(0.1);
  });

  test("two faults at once are of different services and kinds", async () => {
    for (const { draws } of await drawn(3, 300)) {
      const [a, b] = draws;
      if (a === undefined || b === undefined) continue;
      expect(a.service).not.toBe(b.service);
      expect(a.kind.name).not.toBe(b.kind.name);
    }
  });

  test("only seeds of the test split draw kinds of the test split", async () => {
    const kindsOf = async (seed: number): Promise<string[]> =>
      (await drawn(seed, 300)).flatMap(({ draws }) => draws.map(({ kind }) => kind.name));
    expect(heldOut.length).toBeGreaterThan(3);
    const open = await kindsOf(5);
    expect(open.filter((name) => heldOut.includes(name))).toEqual([]);
    const test = new Set(await kindsOf(FIRST_TEST_SEED));
    expect(heldOut.filter((name) => !test.has(name))).toEqual([]);
    expect([isTestSeed(FIRST_TEST_SEED - 1), isTestSeed(FIRST_TEST_SEED)]).toEqual([false, true]);
  });
});

describe("amounts", () => {
  test("stay in the range, in steps that people can read", () => {
    expect(amountAt({ unit: "s", min: 2, max: 4 }, 0.5)).toBe(3);
    expect(amountAt({ unit: "s", min: 1, max: 100 }, 0.5)).toBe(10);
    expect(amountAt({ unit: "ports", min: 1, max: 2, whole: true }, 0.7)).toBe(2);
    expect(amountAt({ unit: "m", min: 1.2346, max: 1.2347 }, 0)).toBe(1.2346);
  });
});

test("the quick pairs are six kinds of different classes", async () => {
  const draws = (await Promise.all(QUICK.map((name) => drawsOf(name)))).flat();
  expect(new Set(draws.map(({ kind }) => kind.name)).size).toBe(6);
  expect(new Set(draws.map(({ kind }) => kind.faultClass)).size).toBeGreaterThanOrEqual(5);
  expect(draws.some(({ kind }) => kind.alone === true)).toBe(false);
});

test("all pairs cover every fault class", async () => {
  const classes = new Set((await allPairs()).map(({ kind }) => kind.faultClass));
  expect(FAULT_CLASS_NAMES.filter((name) => name !== "none" && !classes.has(name))).toEqual([]);
});
