import { expect, test } from "bun:test";
import type { Incident } from "./incident.ts";
import { HEALTHY_ROW, mistakes, timesOf } from "./verify.ts";

const columns = [{ name: "a" }, { name: "b" }];

test("a signature must hold under its own fault and under nothing else", () => {
  expect(mistakes({ fault: "a", holds: { a: true, b: false } }, columns)).toEqual([]);
  expect(mistakes({ fault: "a", holds: { a: false, b: true } }, columns)).toEqual([
    "wrong: the signature of a does not hold under a",
    "wrong: the signature of b holds under a",
  ]);
  expect(mistakes({ fault: HEALTHY_ROW, holds: { a: false, b: true } }, columns)).toEqual([
    "wrong: the signature of b holds under (healthy)",
  ]);
});

test("times count from the injection and from the repair; what never came has none", () => {
  const timeline = [
    { name: "inject", unixMs: 1000 },
    { name: "signature", unixMs: 2500 },
    { name: "alert-pending", unixMs: 3000 },
    { name: "alert-firing", unixMs: 34_040 },
    { name: "heal", unixMs: 40_000 },
  ];
  const incident = { scenario: { name: "a" }, outcome: { kind: "valid" }, timeline };
  expect(timesOf(incident as unknown as Incident).seconds).toEqual({
    "inject→signature": 1.5,
    "inject→pending": 2,
    "inject→firing": 33,
    "heal→resolved": null,
    "heal→recovered": null,
  });
});
