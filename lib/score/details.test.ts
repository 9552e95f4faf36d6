import { expect, test } from "bun:test";
import { detailRows, detailsOf, type Scored } from "./details.ts";
import type { Manifest } from "./run-record.ts";

/** The parts of a run that the details use. */
function runOf(scenario: string, correct: boolean, onset: number | null, attempts = 1): Scored {
  const score = {
    component: true,
    fault_class: correct,
    remediation: correct,
    mechanism: correct,
    evidence_f1: correct ? 1 : null,
    points: correct ? 3 : -2,
    max: 3,
    correct,
    onset_error_seconds: onset,
  };
  return { scenario, attempts, outcome: { kind: "valid" }, score } as unknown as Scored;
}

const failed = (kind: string): Manifest =>
  ({ scenario: "a", attempts: 2, outcome: { kind }, score: null }) as unknown as Manifest;

const scored = [
  runOf("a", true, -2),
  runOf("a", false, 8),
  runOf("a", true, 3),
  runOf("b", true, null),
  runOf("b", true, 1, 2),
];
const all = [...scored, failed("environment-invalid"), failed("harness-defect")];

test("parts, onset and failures are told apart, and invalid runs only counted", () => {
  const details = detailsOf(all, scored, 2);
  expect(details).toMatchObject({
    onset_error_seconds: 2.5,
    onsets: 4,
    failures: { agent: 1, environment: 1, harness: 1 },
    retried: 3,
  });
  expect(details.evidence_f1).toBe(1);
  // Scenario a: 3, -2 and 3 of 3; b: all.
  expect(details.share).toBeCloseTo((4 / 9 + 1) / 2);
  expect(details.component.mean).toBe(1);
  expect(details.fault_class.mean).toBeCloseTo((2 / 3 + 1) / 2);
});

test("pass@k and pass^k use the given k", () => {
  // Scenario a: two of three right; b: two of two. With k = 2: one of two right 1 and 1, both 1/3
  // and 1.
  expect(detailsOf(all, scored, 2).pass).toMatchObject({ k: 2, at_k: 1 });
  expect(detailsOf(all, scored, 2).pass?.at_1).toBeCloseTo((2 / 3 + 1) / 2);
  expect(detailsOf(all, scored, 2).pass?.hat_k).toBeCloseTo((1 / 3 + 1) / 2);
});

test("without a valid run there is nothing to tell", () => {
  const details = detailsOf([failed("harness-defect")], [], 1);
  expect(details).toMatchObject({ pass: null, onset_error_seconds: null });
  const rows = Object.fromEntries(detailRows(details, () => "–"));
  expect(rows["pass@1 averaged over scenarios"]).toBe("–");
  expect(rows["not measured: lab's own defect"]).toBe("1");
});
