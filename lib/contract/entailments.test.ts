import { expect, test } from "bun:test";
import { beginningQuery, ENTAILMENTS, entailmentHolds, entailmentQuery } from "./entailments.ts";
import { FAULT_CLASS_NAMES } from "./fault-classes.ts";
import { CONTAINER_METRICS, METRICS } from "./telemetry.ts";

const known = new Set(["up", ...Object.keys(METRICS), ...Object.keys(CONTAINER_METRICS)]);

test("every class entails something that can refute it", () => {
  for (const name of FAULT_CLASS_NAMES) {
    expect(ENTAILMENTS[name].some(({ weight }) => weight === "must")).toBe(true);
  }
});

test("every query asks for declared metrics only, the cited one among them", () => {
  for (const entailment of Object.values(ENTAILMENTS).flat()) {
    const asked = entailment.promql.match(/\b(?:up|cms_\w+|container_\w+)(?=[{[) ])/g) ?? [];
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
  const shape = (name: keyof typeof ENTAILMENTS): string =>
    JSON.stringify(ENTAILMENTS[name].filter(({ weight }) => weight === "must"));
  const generic = new Set(["clock_skew", "bad_configuration", "data_quality"]);
  const specific = FAULT_CLASS_NAMES.filter((name) => !generic.has(name)).map(shape);
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
