import { expect, test } from "bun:test";
import { exitCodeOf, exitCodeOfOutcomes } from "./exit-codes.ts";

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
  const shares = [0.9, 0.4];
  expect(exitCodeOf([valid], shares, undefined)).toBe(0);
  expect(exitCodeOf([valid], shares, 0.4)).toBe(0);
  expect(exitCodeOf([valid], shares, 0.5)).toBe(4);
  const invalid = { outcome: { kind: "environment-invalid", phase: "up", reason: "x" } } as const;
  expect(exitCodeOf([valid, invalid], shares, 0.5)).toBe(2);
});
