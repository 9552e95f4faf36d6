import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import {
  answerOf,
  type Citation,
  type EvidenceRecord,
  type SingleFaultAnswer,
} from "../contract/answer.ts";
import type { Truth } from "../truth/truth.ts";
import { MAX_INVENTED, score, scoreOfFailure } from "./score.ts";

const truth: Truth = {
  faults: [
    {
      culprit: "esm-sensor",
      fault_class: "qos_mismatch",
      also_accept: [{ fault_class: "bad_configuration", why: "it is one" }],
      remediation: { actions: ["correct_qos_profile"], target: "esm-sensor" },
    },
  ],
  mechanism: "offers what nobody asks for",
  evidence: [
    {
      id: "refused",
      shows_mechanism: true,
      kind: "dds",
      describe: "a refusal is reported",
      any_of: [{ signal: "cms_dds_incompatible_qos_total", holds: { op: ">", value: 0 } }],
      service: "esm-sensor",
    },
    {
      id: "running",
      kind: "runtime",
      describe: "the process runs",
      any_of: [
        { signal: "container_state", holds: { op: "==", value: "running" } },
        {
          signal: "container_state",
          labels: { state: "running" },
          holds: { op: "==", value: 1 },
        },
      ],
      service: "esm-sensor",
    },
  ],
  misattributions: [
    { culprit: "track-fusion", points: -2, why: "it only lost an input" },
    { fault_class: "process_exited", points: -1, why: "it runs" },
  ],
};

const fact = (signal: string, value: number | string, labels = {}, service = "esm-sensor") => ({
  signal,
  service,
  labels,
  value,
  when: "now",
});

const records: EvidenceRecord[] = [
  {
    id: "E1",
    tool: "promql",
    arguments: {},
    request: [],
    window: null,
    asked_unix_ms: 0,
    duration_ms: 1,
    ok: true,
    answer: JSON.stringify({
      facts: [
        fact("cms_dds_incompatible_qos_total", 2),
        fact("container_state", 1, { state: "running" }),
        fact("container_state", 0, { state: "exited" }),
        fact("cms_dds_incompatible_qos_total", 0, {}, "eo-sensor"),
      ],
    }),
  },
];

const cite = (signal: string, value: number | string, call_id = "E1"): Citation => ({
  call_id,
  signal,
  service: "esm-sensor",
  value,
  claim: "as read",
});

const single: SingleFaultAnswer = {
  culprit: "esm-sensor",
  fault_class: "qos_mismatch",
  mechanism: "m",
  onset: "2026-01-01T00:00:12.300Z",
  causal_chain: [],
  evidence: [cite("cms_dds_incompatible_qos_total", 2), cite("container_state", 1)],
  remediation: {
    action: "correct_qos_profile",
    target: "esm-sensor",
    parameters: {},
    prose: "",
  },
  confidence: 0.8,
  alternatives: [],
};
const right = answerOf(single);
const injectedUnixMs = Date.parse("2026-01-01T00:00:10.000Z");
const times = { injectedUnixMs, evidenceFromUnixMs: injectedUnixMs };
const UNKNOWN = { injectedUnixMs: null, evidenceFromUnixMs: 0 };
const points = (answer: Partial<SingleFaultAnswer>): number =>
  score(answerOf({ ...single, ...answer }), truth, records, times).points;

describe("score()", () => {
  test("a right answer earns everything", () => {
    const got = score(right, truth, records, times);
    expect(got).toMatchObject({
      points: 4,
      max: 4,
      correct: true,
      mechanism: true,
      remediation: true,
      grounded_citations: 2,
      invented_citations: 0,
      onset_error_seconds: 2.3,
      attribution: null,
    });
    expect(got.brier).toBeCloseTo(0.04);
  });

  test("a nearly right answer earns what it got right", () => {
    expect(points({ fault_class: "bad_configuration" })).toBe(4);
    expect(points({ fault_class: "discovery_failure" })).toBe(4);
    expect(
      score(answerOf({ ...single, fault_class: "discovery_failure" }), truth, records, UNKNOWN),
    ).toMatchObject({ correct: false, onset_error_seconds: null });
    expect(points({ evidence: [cite("cms_dds_incompatible_qos_total", 2)] })).toBe(3);
    const unshown = { ...right, evidence: [cite("container_state", 1)] };
    expect(score(unshown, truth, records, UNKNOWN)).toMatchObject({
      correct: true,
      mechanism: false,
    });
    const other = { ...single.remediation, action: "restart_service" as const };
    expect(points({ remediation: other })).toBe(3);
  });

  test("more citations than needed cost precision, and points of the rubric are no better for them", () => {
    const exact = score(right, truth, records, times);
    const more = ["up", "container_cpu", "cms_a", "cms_b"].map((signal) => fact(signal, 1));
    const [record] = records;
    if (record === undefined) throw new Error("a record");
    const { facts } = JSON.parse(record.answer) as { facts: unknown[] };
    const wide = [{ ...record, answer: JSON.stringify({ facts: [...facts, ...more] }) }];
    const evidence = [...single.evidence, ...more.map(({ signal }) => cite(signal, 1))];
    const over = score(answerOf({ ...single, evidence }), truth, wide, times);
    expect(exact.evidence_f1).toBe(1);
    // Both of two pieces are shown with six citations: precision 1/3.
    expect(over).toMatchObject({ grounded_citations: 6, points: exact.points, mechanism: true });
    expect(over.evidence_f1).toBeCloseTo(0.5);
    const one = answerOf({ ...single, evidence: single.evidence.slice(0, 1) });
    expect(score(one, truth, records, times).evidence_f1).toBeCloseTo(2 / 3);
    const none = answerOf({ ...single, evidence: [] });
    expect(score(none, truth, records, times).evidence_f1).toBe(0);
  });

  test("an abstention is no half of a right answer", () => {
    const got = score(answerOf({ ...single, fault_class: "unknown" }), truth, records, times);
    expect(got).toMatchObject({ diagnosis: 0, abstained: true, correct: false, brier: 1 });
  });

  test("a wrong service costs its misattribution, and its remediation does not count", () => {
    expect(points({ culprit: "track-fusion" })).toBe(0 + 2 + 0 - 2);
    expect(points({ culprit: "eo-sensor" })).toBe(2);
    expect(points({ fault_class: "process_exited" })).toBe(3);
  });

  test("a value that does not hold what is asked is no evidence, though it is grounded", () => {
    expect(points({ evidence: [cite("container_state", 0)] })).toBe(2);
    const elsewhere = {
      ...cite("cms_dds_incompatible_qos_total", 0),
      service: "eo-sensor" as const,
    };
    expect(points({ evidence: [elsewhere] })).toBe(2);
  });

  test("names without values that the record bears out earn nothing and cost", () => {
    const stuffed = [
      "cms_dds_incompatible_qos_total",
      "container_state",
      "up",
      "cms_fusion_ingested_total",
      "service_stopping",
    ].map((signal) => cite(signal, 12_345));
    expect(points({ evidence: stuffed })).toBe(2 - MAX_INVENTED);
  });

  test("a call that was never made is an invented source", () => {
    const invented = cite("cms_dds_incompatible_qos_total", 2, "E99");
    expect(points({ evidence: [...right.evidence, invented] })).toBe(3);
  });

  test("one more invented source never raises the score, and no score passes its maximum", () => {
    const citation = fc.record({
      call_id: fc.constantFrom("E1", "E2"),
      signal: fc.constantFrom("container_state", "up", "cms_dds_incompatible_qos_total"),
      service: fc.constantFrom("esm-sensor", "eo-sensor", null),
      value: fc.oneof(fc.integer({ min: 0, max: 3 }), fc.string()),
      claim: fc.string(),
    });
    fc.assert(
      fc.property(fc.array(citation, { maxLength: 6 }), (evidence) => {
        const before = points({ evidence });
        expect(before).toBeLessThanOrEqual(4);
        const more = [...evidence, cite("made_up", 1, "E77")];
        expect(points({ evidence: more })).toBeLessThanOrEqual(before);
      }),
    );
  });

  test("a control is right when nothing is said to be wrong", () => {
    const nothing: Truth = {
      ...truth,
      faults: [],
      evidence: [],
    };
    const answer = answerOf({
      ...single,
      culprit: null,
      fault_class: "none",
      evidence: [],
      remediation: { action: "no_action", target: null, parameters: {}, prose: "" },
    });
    expect(score(answer, nothing, records, UNKNOWN)).toMatchObject({
      points: 2,
      max: 2,
      correct: true,
    });
    expect(score(right, nothing, records, UNKNOWN).correct).toBe(false);
  });
});

test("citing one thing many times is citing it once, and a value that stands twice may be either", () => {
  const many = { ...right, evidence: [...right.evidence, ...right.evidence, cite("up", 9)] };
  expect(
    score({ ...many, evidence: [...many.evidence, cite("up", 9)] }, truth, records, times),
  ).toMatchObject({
    grounded_citations: 2,
    invented_citations: 1,
  });
  const twice = [
    { ...fact("cms_dds_incompatible_qos_total", 2), when: "before" },
    { ...fact("cms_dds_incompatible_qos_total", 2), when: "during" },
  ];
  const [record] = records;
  if (record === undefined) throw new Error("a record");
  const of = (facts: unknown[]) => [{ ...record, answer: JSON.stringify({ facts }) }];
  expect(score(right, truth, of(twice), times).mechanism).toBe(true);
  expect(score(right, truth, of(twice.slice(0, 1)), times).mechanism).toBe(false);
});

test("an investigator that hands in nothing earns nothing, by its own fault", () => {
  const silent = { points: 0, max: 4, diagnosis: 0, attribution: "agent" } as const;
  expect(scoreOfFailure(truth, "time ran out")).toMatchObject({ ...silent, brier: 1 });
  const stated = scoreOfFailure(truth, "time ran out", 0.9);
  expect(stated).toMatchObject({ ...silent, confidence: 0.9 });
  expect(stated.brier).toBeCloseTo(1.81);
});
