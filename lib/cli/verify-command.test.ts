import { expect, test } from "bun:test";
import type { Incident } from "../run/incident.ts";
import type { Summary } from "../score/summary.ts";
import { exitCodeOf, exitCodeOfOutcomes } from "./run-command.ts";
import { HEALTHY_ROW, mistakes, timesOf } from "./verify-command.ts";

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

test("exit codes: 0 all valid, 2 an environment failed, 3 a defect of ours", () => {
  const valid = { kind: "valid" } as const;
  const invalid = { kind: "environment-invalid", phase: "up", reason: "x" } as const;
  const defect = { kind: "harness-defect", reason: "x" } as const;
  expect(exitCodeOfOutcomes([valid])).toBe(0);
  expect(exitCodeOfOutcomes([valid, invalid])).toBe(2);
  expect(exitCodeOfOutcomes([invalid, defect, valid])).toBe(3);
});

test("exit code 4 when anyone's share of the points is below --min-score, and only then", () => {
  const valid = { outcome: { kind: "valid" } } as const;
  const groups = [0.9, 0.4].map((mean) => ({ share: { mean } })) as unknown as Summary["groups"];
  expect(exitCodeOf([valid], { groups }, undefined)).toBe(0);
  expect(exitCodeOf([valid], { groups }, 0.4)).toBe(0);
  expect(exitCodeOf([valid], { groups }, 0.5)).toBe(4);
  const invalid = { outcome: { kind: "environment-invalid", phase: "up", reason: "x" } } as const;
  expect(exitCodeOf([valid, invalid], { groups }, 0.5)).toBe(2);
});
