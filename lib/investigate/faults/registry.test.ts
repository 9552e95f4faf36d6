import { expect, test } from "bun:test";
import { readdirSync } from "node:fs";
import { FAULT_CLASS_NAMES, type FaultClass } from "../../contract/fault-classes.ts";
import { NORMS } from "../../contract/norms.ts";
import { CONTAINER_METRICS, METRICS } from "../../contract/telemetry.ts";
import {
  beginningQuery,
  entailmentHolds,
  entailmentQuery,
  isSameClaim,
} from "../hypotheses/entailment.ts";
import { SERVICES, TOPOLOGY } from "../../contract/topology.ts";
import { NOMINAL_LOAD_HZ } from "../hypotheses/shared-claims.ts";
import { ENTAILMENTS, FAULTS, fileOf } from "./registry.ts";

const known = new Set(["up", "ALERTS", ...Object.keys(METRICS), ...Object.keys(CONTAINER_METRICS)]);

test("there is one file for each row of the catalogue, and none besides", () => {
  const files = readdirSync(import.meta.dir).filter(
    (name) => name.endsWith(".ts") && !name.endsWith(".test.ts") && name !== "registry.ts",
  );
  expect(files.toSorted()).toEqual(FAULT_CLASS_NAMES.map(fileOf).toSorted());
});

test("every class is named by its own words, and by no other's", () => {
  for (const name of FAULT_CLASS_NAMES.filter((one) => one !== "none")) {
    const prose = name === "process_exited" ? "the process exited" : name.replaceAll("_", " ");
    const naming = FAULT_CLASS_NAMES.filter((other) => FAULTS[other].words.test(prose));
    expect([name, naming]).toEqual([name, [name]]);
  }
});

test("nothing is wrong when every other class is absent", () => {
  for (const { absent } of Object.values(FAULTS)) {
    if (absent === undefined) continue;
    expect(absent.culprits).toBeDefined();
    expect(ENTAILMENTS.none).toContain(absent);
  }
});

test("a class whose culprit is no service claims nothing of a single service", () => {
  const apart = FAULT_CLASS_NAMES.filter((name) => FAULTS[name].culprit !== undefined);
  expect(apart).toEqual(["host_contention"]);
  for (const { promql } of apart.flatMap((name) => ENTAILMENTS[name])) {
    expect(promql).not.toContain("$service");
  }
});

test("every class entails something that can refute it", () => {
  for (const name of FAULT_CLASS_NAMES) {
    expect(ENTAILMENTS[name].some(({ weight }) => weight === "must")).toBe(true);
  }
});

test("no rule uses a limit that the inventory does not tell everybody", () => {
  const told = new Set<number>(Object.values(NORMS).map(({ value }) => value));
  const load = NORMS.deepQueueSeconds.value * NOMINAL_LOAD_HZ;
  for (const value of [0, 1, load, NOMINAL_LOAD_HZ]) told.add(value);
  const limits = Object.values(ENTAILMENTS)
    .flat()
    .map(({ claim, holds }) => [claim, holds.value] as const);
  expect(limits.filter(([, value]) => !told.has(value))).toEqual([]);
  const rates = SERVICES.flatMap((name) => TOPOLOGY[name].nominalRateHz ?? []);
  expect(rates.reduce((sum, rate) => sum + rate, 0)).toBe(NOMINAL_LOAD_HZ);
});

test("every query asks for declared metrics only, the cited one among them", () => {
  for (const entailment of Object.values(ENTAILMENTS).flat()) {
    const asked = entailment.promql.match(/\b(?:up|ALERTS|cms_\w+|container_\w+)(?=[{[) ])/g) ?? [];
    expect(asked.length).toBeGreaterThan(0);
    const names = asked.map((name) => name.replace(/_bucket$/, ""));
    expect(names.filter((name) => !known.has(name))).toEqual([]);
    expect(names).toContain(entailment.signal);
  }
});

test("the service stands in each place of a query", () => {
  const [, second] = ENTAILMENTS.message_flood;
  if (second === undefined) throw new Error("no second entailment");
  const query = entailmentQuery(second, "esm-sensor");
  expect(query).not.toContain("$");
  expect(query.match(/esm-sensor/g)?.length).toBe(1);
});

test("what looks back two minutes asks otherwise when it began, in the same unit", () => {
  const growth = ENTAILMENTS.memory_leak.find(({ begins }) => begins !== undefined);
  if (growth === undefined) throw new Error("no claim has a beginning of its own");
  expect(entailmentQuery(growth, "track-fusion")).toContain("[120s:");
  const began = beginningQuery(growth, "track-fusion");
  expect(began).not.toContain("[120s:");
  expect(entailmentQuery(growth, "track-fusion")).toContain(began);
});

test("no two classes entail the same: each is refuted by something that another allows", () => {
  const shape = (name: FaultClass): string =>
    JSON.stringify(ENTAILMENTS[name].filter(({ weight }) => weight === "must"));
  const all = Object.values(ENTAILMENTS).flat();
  const isShared = (name: FaultClass): boolean =>
    ENTAILMENTS[name].every((one) => all.filter((other) => isSameClaim(one, other)).length > 2);
  const generic = FAULT_CLASS_NAMES.filter(isShared);
  expect(generic).toEqual(["bad_configuration"]);
  const specific = FAULT_CLASS_NAMES.filter((name) => !generic.includes(name)).map(shape);
  expect(new Set(specific).size).toBe(specific.length);
});

test.each([
  ["==", 1, 1, true],
  ["==", 1, 0, false],
  [">", 5, 5, false],
  [">=", 5, 5, true],
  ["<", 5, 5, false],
  ["<=", 5, 5, true],
] as const)("%s %d holds for %d: %p", (op, value, seen, expected) => {
  const entailment = {
    ...ENTAILMENTS.none[0],
    holds: { op, value },
  } as (typeof ENTAILMENTS.none)[0];
  expect(entailmentHolds(entailment, seen)).toBe(expected);
});
