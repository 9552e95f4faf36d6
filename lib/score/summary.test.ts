import { describe, expect, test } from "bun:test";
import { brierOf } from "./calibration.ts";
import { kindOf } from "./kinds.ts";
import type { Manifest } from "./run-record.ts";
import { summarize } from "./summary.ts";
import { comparisonTable, figuresTable, summaryTable } from "./tables.ts";

type Said = "right" | "wrong" | "unknown" | "failed";

interface Run {
  readonly investigator: string;
  readonly scenario: string;
  readonly said: Said;
  readonly confidence?: number;
  readonly incident?: string;
  readonly repaired?: boolean;
  readonly points?: number;
  readonly details?: Record<string, unknown>;
}

/** The parts of a valid run that the summary uses. */
function runOf(run: Run): Manifest {
  const { investigator, scenario, said, confidence = 0.9, incident = null, points = 0 } = run;
  const correct = said === "right";
  const names = said === "right" || said === "wrong";
  const stated = { confidence, correct, names: names || said === "failed" };
  return {
    investigator,
    scenario,
    control: false,
    isolation: "fresh",
    incident,
    started_unix_ms: 0,
    attempts: 1,
    outcome: { kind: "valid" },
    truth: [{ culprit: "eo-sensor", fault_class: scenario }],
    agent_failure: said === "failed" ? "it gave up" : null,
    cost: null,
    struck_citations: 0,
    details: run.details ?? {},
    repair: run.repaired === undefined ? null : { repaired: run.repaired },
    score: {
      points,
      max: 5,
      diagnosis: Number(correct),
      abstained: said === "unknown",
      component: correct,
      fault_class: correct,
      correct,
      mechanism: correct,
      remediation: correct,
      onset_error_seconds: null,
      grounded_citations: 0,
      invented_citations: 0,
      evidence_f1: null,
      brier: brierOf(stated),
      confidence,
    },
  } as unknown as Manifest;
}

const SCENARIOS = ["sensor-down", "memory-leak", "message-flood", "hang", "clock-skew"];

const everywhere = (investigator: string, said: readonly Said[], confidence: number): Manifest[] =>
  SCENARIOS.map((scenario, i) =>
    runOf({ investigator, scenario, said: said[i % said.length] ?? "wrong", confidence }),
  );

describe("who abstains, fails or never is right", () => {
  const { groups } = summarize([
    ...everywhere("exec:unknown", ["unknown"], 0),
    ...everywhere("exec:coy", ["wrong"], 0),
    ...everywhere("exec:gone", ["failed"], 0),
    ...everywhere("exec:poor", ["right", "wrong", "wrong", "wrong", "wrong"], 0.2),
  ]);
  const of = (name: string) => groups.find(({ investigator }) => investigator === `exec:${name}`);

  test("leads no table, and no column of calibration", () => {
    expect(groups[0]?.investigator).toBe("exec:poor");
    for (const name of ["unknown", "coy", "gone"]) {
      expect(of(name)?.diagnosis.mean).toBe(0);
      expect(of(name)?.brier ?? 0).toBeGreaterThan(of("poor")?.brier ?? 2);
      expect(of(name)?.skill ?? 1).toBeLessThan(of("poor")?.skill ?? -1);
      expect(of(name)?.risk_coverage.area).toBe(1);
    }
    expect(of("poor")?.risk_coverage.area).toBeLessThan(1);
  });

  test("stands in a column of its own when it says unknown", () => {
    expect(of("unknown")).toMatchObject({ abstained: 5, calibration: [] });
    expect(of("coy")?.abstained).toBe(0);
    expect(summaryTable({ groups })).toContain("| 0/1 right, 1 unknown |");
  });

  test("a failed agent is wrong at the confidence that it had stated", () => {
    const failing = everywhere("exec:x", ["failed"], 0.9);
    expect(summarize(failing).groups[0]?.brier).toBeCloseTo(1 + 0.81);
  });

  test("nobody has skill when there is only one truth to know", () => {
    const run = runOf({ investigator: "a", scenario: "hang", said: "right" });
    expect(summarize([run]).groups[0]?.skill).toBeNull();
  });
});

test("kinds of investigators stand apart, the best diagnosis first in each", () => {
  const run = (investigator: string, said: Said) => runOf({ investigator, scenario: "hang", said });
  const { groups } = summarize([
    run("loudest", "right"),
    run("baseline", "right"),
    run("ollama:m", "right"),
    run("assisted:n", "wrong"),
    run("exec:a", "wrong"),
    run("react:b", "right"),
  ]);
  expect(groups.map(({ investigator, kind }) => `${kind} ${investigator}`)).toEqual([
    "agent react:b",
    "agent exec:a",
    "assisted ollama:m",
    "assisted assisted:n",
    "rules baseline",
    "floor loudest",
  ]);
});

test("pass^k has the same k for everyone in a table", () => {
  const times = (investigator: string, n: number) =>
    Array.from({ length: n }, () => runOf({ investigator, scenario: "hang", said: "right" }));
  const { groups } = summarize([...times("a", 4), ...times("b", 2)]);
  expect(groups.map(({ details }) => details.pass?.k)).toEqual([2, 2]);
  expect(groups.flatMap(({ cells }) => cells.map(({ k }) => k))).toEqual([2, 2]);
});

test("two investigators are compared on the incidents that both examined", () => {
  const run = (investigator: string, incident: string, said: Said) =>
    runOf({ investigator, scenario: "hang", incident, said });
  const { comparisons, groups } = summarize([
    run("a", "i1", "right"),
    run("a", "i2", "right"),
    run("a", "i3", "wrong"),
    run("b", "i1", "wrong"),
    run("b", "i2", "right"),
    run("b", "i9", "right"),
  ]);
  expect(comparisons).toMatchObject([{ shared: 2, first: 1, second: 0, p: 1 }]);
  expect(comparisonTable({ comparisons, groups })).toContain("| a – b | 2 | 1 | 0 | 1.000 |");
  expect(comparisonTable({ comparisons: [], groups: [] })).toContain("No two investigators");
});

test("the rubric is shown for the reference's scenarios alone", () => {
  const run = (scenario: string, points: number) =>
    runOf({ investigator: "a", scenario, said: "wrong", points });
  const [group] = summarize([run("sensor-down", 3), run("memory-leak", -2), run("hang", 5)]).groups;
  expect(group?.rubric).toEqual({ points: 1, max: 8, scenarios: 2 });
  expect(summarize([run("hang", 5)]).groups[0]?.rubric).toBeNull();
});

test("negative points stay negative in the share", () => {
  const run = runOf({ investigator: "a", scenario: "hang", said: "wrong", points: -2 });
  expect(summarize([run]).groups[0]?.details.share).toBeCloseTo(-0.4);
});

test("the repair is absent until remedies are carried out", () => {
  const run = (repaired?: boolean) =>
    runOf({
      investigator: "a",
      scenario: "hang",
      said: "right",
      ...(repaired === undefined ? {} : { repaired }),
    });
  expect(summarize([run()]).groups[0]?.repair).toBeNull();
  expect(summaryTable(summarize([run()]))).toContain("| – | 0 of 1 |");
  const part = summarize([run(true), run(false), run()]);
  expect(part.groups[0]?.repair?.mean).toBe(0.5);
  expect(summaryTable(part)).toMatch(/\| 50 % \(\d+–\d+\), 2 of 3 carried out \|/);
  expect(summaryTable(summarize([run(true), run(false)]))).toMatch(/\| 50 % \(\d+–\d+\) \|/);
});

test("who was not confined is marked in every table", () => {
  const run = runOf({
    investigator: "exec:a",
    scenario: "hang",
    said: "right",
    details: { unconfined: true },
  });
  const other = runOf({ investigator: "b", scenario: "hang", said: "right" });
  const summary = summarize([run, other]);
  const text = summaryTable(summary);
  expect(text).toContain("| exec:a (unconfined) | agent |");
  expect(text).toContain("| scenario | b | exec:a (unconfined) |");
  expect(figuresTable(summary)).toContain("| exec:a (unconfined) | hang |");
  expect(comparisonTable(summary)).toContain("| b – exec:a (unconfined) | 1 |");
});

test("a model without tools is a floor, whatever it is called", () => {
  const kinds = ["react:m", "alone:m", "assisted:m", "exec:alone", "baseline", "random"].map(
    kindOf,
  );
  expect(kinds).toEqual(["agent", "floor", "assisted", "agent", "rules", "floor"]);
});
