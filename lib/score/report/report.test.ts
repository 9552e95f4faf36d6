import { describe, expect, test } from "bun:test";
import type { Manifest } from "../run-record.ts";
import { ManifestSchema } from "../run-record.ts";
import { summarize } from "../summary.ts";
import { figuresTable, summaryTable } from "../tables.ts";
import { renderReport } from "./report.ts";

const HOSTILE = `</pre><script>alert("x")</script>' onload='y`;

function manifest(change: Partial<Manifest> = {}): Manifest {
  const base: Manifest = {
    schema_version: 2,
    run_id: "r1",
    scenario: "sensor-down",
    title: "The radar's process ends",
    control: false,
    investigator: "baseline",
    repeat: 1,
    incident: null,
    seed: 1,
    engine: "native",
    isolation: "fresh",
    started_unix_ms: 0,
    attempts: 1,
    earlier_attempts: [],
    outcome: { kind: "valid" },
    timeline: [
      { name: "inject", unixMs: 10_000 },
      { name: "alert-firing", unixMs: 40_000 },
      { name: "heal", unixMs: 41_000 },
      { name: "recovered", unixMs: 60_000 },
    ],
    fault: { kind: "stop-process", parameters: { service: "radar-sensor" } },
    metric: {
      title: "rate",
      query: "q",
      threshold: 5,
      points: [
        [0, 30],
        [10_000, 30],
        [50_000, 0],
      ],
    },
    diagnosis: [{ culprit: "radar-sensor", fault_class: "process_exited" }],
    truth: [{ culprit: "radar-sensor", fault_class: "process_exited" }],
    agent_failure: null,
    cost: {
      wallMs: 2000,
      modelMs: 0,
      rounds: 1,
      toolCalls: 4,
      modelCalls: 0,
      promptTokens: 5,
      completionTokens: 6,
    },
    struck_citations: 0,
    details: {},
    versions: {},
    score: {
      points: 3,
      max: 3,
      items: [{ id: "service", points: 1, reason: HOSTILE }],
      diagnosis: 1,
      abstained: false,
      component: true,
      fault_class: true,
      correct: true,
      mechanism: true,
      remediation: true,
      onset_error_seconds: 1,
      grounded_citations: 2,
      invented_citations: 1,
      evidence_f1: 0.8,
      brier: 0.01,
      confidence: 0.9,
      attribution: null,
    },
    repair: null,
  };
  return ManifestSchema.parse({ ...base, ...change });
}

const wrong = (id: string): Manifest => {
  const right = manifest();
  return manifest({
    run_id: id,
    repeat: 2,
    score:
      right.score === null ? null : { ...right.score, points: 0, diagnosis: 0, correct: false },
  });
};
const invalid = manifest({
  run_id: "r3",
  repeat: 3,
  score: null,
  cost: null,
  diagnosis: null,
  outcome: { kind: "environment-invalid", phase: "baseline", reason: "too slow" },
});

describe("summarize()", () => {
  test("counts invalid runs beside the valid ones and never among them", () => {
    const [group] = summarize([manifest(), wrong("r2"), invalid]).groups;
    expect(group).toMatchObject({
      runs: 3,
      valid: 2,
      invalid: 1,
      grounded: 4,
      invented: 2,
      mean_tokens: 11,
    });
    expect(group?.cells[0]).toMatchObject({
      n: 2,
      invalid: 1,
      correct: 1,
      mean_points: 1.5,
      max_points: 3,
      pass_at_1: 0.5,
      pass_at_k: 1,
      pass_hat_k: 0,
      k: 2,
    });
  });

  test("never mixes isolation modes or investigators", () => {
    const groups = summarize([
      manifest(),
      manifest({ isolation: "keep-telemetry" }),
      manifest({ investigator: "constant" }),
    ]).groups;
    expect(groups.map(({ runs }) => runs)).toEqual([1, 1, 1]);
  });

  test("the table shows denominators", () => {
    const text = summaryTable(summarize([manifest(), wrong("r2"), invalid]));
    expect(text).toContain("| sensor-down | 1/2 right |");
    expect(text).toContain("| baseline | rules | 50 % (9–91) | – | 0 of 2 | 11 | 4 | 2.0 |");
    expect(text).toContain("| 1.5/3 (1 of 6 scenarios) | 2 of 3 |");
  });

  test("what runs took and cited is the mean over the valid ones, the model's time apart", () => {
    const cost = { ...manifest().cost, wallMs: 9000, modelMs: 8000, modelCalls: 3 };
    const slow = manifest({ run_id: "r2", cost: cost as Manifest["cost"] });
    const text = figuresTable(summarize([manifest(), slow, invalid]));
    expect(text.split("\n").at(-1)).toBe(
      "| baseline | sensor-down | 3/3 | 2/2 | 2 | 1 | 0 | 0.010 | 1 | 4 | 1.5 | 11 | 5.5 | 1.5 |",
    );
  });
});

describe("renderReport()", () => {
  const evidence = {
    id: "E1",
    tool: "logql",
    arguments: { query: HOSTILE },
    request: [{ method: "GET", url: `http://x/?q=%zz${HOSTILE}` }],
    window: null,
    asked_unix_ms: 0,
    duration_ms: 1,
    ok: true,
    answer: HOSTILE.repeat(200),
  };
  const answer = {
    faults: [
      {
        culprit: "radar-sensor" as const,
        fault_class: "process_exited" as const,
        remediation: {
          action: "start_service" as const,
          target: null,
          parameters: {},
          prose: HOSTILE,
        },
      },
    ],
    mechanism: HOSTILE,
    onset: null,
    causal_chain: [],
    evidence: [
      { call_id: "E1", signal: "service_stopping", service: null, value: HOSTILE, claim: HOSTILE },
    ],
    confidence: 0.9,
    alternatives: [],
  };
  const page = renderReport(summarize([manifest(), invalid]), [
    { manifest: manifest(), answer, evidence: [evidence] },
    { manifest: invalid, answer: null, evidence: [] },
  ]);

  test("text of a run never becomes markup", () => {
    expect(page).not.toContain("<script");
    expect(page).not.toContain("' onload='");
    expect(page).toContain("&lt;script&gt;");
  });

  test("shows what a remedy did, verdict by verdict", () => {
    const [yes, no, open] = [true, false, null].map((holds) => ({ holds, seen: HOSTILE }));
    if (yes === undefined || no === undefined || open === undefined) throw new Error("no verdicts");
    const verdicts = {
      signature_gone: yes,
      stays_gone: no,
      survives_restart: open,
      data_flows: open,
      nothing_else_changed: yes,
    };
    const repair = {
      repaired: false,
      acts: ["restart_service eo-sensor"],
      refused: [HOSTILE],
      verdicts,
      execution: null,
    };
    const run = { manifest: manifest({ repair }), answer: null, evidence: [] };
    const shown = renderReport(summarize([run.manifest]), [run]);
    expect(shown).toContain("Remedy carried out: not repaired");
    expect(shown).toContain("restart_service eo-sensor");
    expect(shown).toMatch(/<td>no<\/td>\s*<td>stays gone<\/td>/);
    expect(shown).toMatch(/<td>–<\/td>\s*<td>data flows<\/td>/);
    expect(shown).not.toContain("<script");
    expect(page).not.toContain("Remedy carried out");
  });

  test("draws calibration and risk for each investigator, and the headline first", () => {
    expect(page.match(/aria-label="Calibration"/g)).toHaveLength(1);
    expect(page.match(/aria-label="Risk over coverage"/g)).toHaveLength(1);
    expect(page.indexOf("diagnosis</th>")).toBeLessThan(page.indexOf("reference (9/26 points)"));
    expect(page).toContain("No two investigators examined the same incident.");
  });

  test("needs nothing from elsewhere", () => {
    expect(page).not.toMatch(/<(link|script|img|iframe)/);
    expect(page).not.toMatch(/(src|href)="(?!#)/);
  });

  test("shows what was invalid and why, and links citations to calls", () => {
    expect(page).toMatch(/1 of 2 runs are\s+valid/);
    expect(page).toContain("too slow");
    expect(page).toContain('href="#r1-E1"');
    expect(page).toContain('id="r1-E1"');
    expect(page).toContain("not in the record: call E1 says nothing of service_stopping");
  });

  test("a run of each isolation has a table and a part of its own", () => {
    const kept = manifest({ run_id: "r9", isolation: "keep-telemetry", title: "Kept run" });
    const both = [manifest(), kept];
    const mixed = renderReport(
      summarize(both),
      both.map((run) => ({ manifest: run, answer: null, evidence: [] })),
    );
    const [, fresh = "", keep = ""] = mixed.split("<h2>");
    expect(fresh).toContain("fresh-sensor-down");
    expect(fresh).not.toMatch(/Kept run|keep-telemetry-sensor-down/);
    expect(keep).toContain("Kept run");
    expect(keep).not.toContain("fresh-sensor-down");
  });

  test("tells a stranger what broke, what is right, what it cost and what was tried before", () => {
    const tried = manifest({
      attempts: 2,
      earlier_attempts: [{ phase: "baseline", reason: "two tracks" }],
    });
    const text = renderReport(summarize([tried]), [{ manifest: tried, answer, evidence: [] }]);
    for (const words of [
      "The radar&#39;s process ends",
      "simulated air-defence command system",
      "the process ended on its own or was told to stop",
      "took 2.0 s: 4 tool calls, no model",
      "An earlier try failed in phase baseline: two tracks",
      "had to be tried a second time",
      "the record of the calls is not kept here",
      "signature",
      "pass@1 averaged over scenarios",
      "pass^k averaged over scenarios",
      "each scenario counts once",
    ]) {
      expect(text.replaceAll(/\s+/g, " ")).toContain(words);
    }
  });
});
