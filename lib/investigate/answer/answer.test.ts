import { describe, expect, test } from "bun:test";
import { recordOf } from "../../contract/testing/evidence.ts";
import { culpritNamed, probabilityNamed, timeNamed } from "./names.ts";
import { readAnswer, UNSTATED_CONFIDENCE } from "./read-answer.ts";
import { Submission } from "./submission.ts";

const CITATION = { call_id: "E1", signal: "up", service: "eo-sensor", value: 0, claim: "gone" };
const FULL = {
  culprit: "eo-sensor",
  fault_class: "process_exited",
  mechanism: "It exited.",
  onset: null,
  causal_chain: [],
  evidence: [CITATION],
  remediation: { action: "start_service", target: "eo-sensor", parameters: {}, prose: "Start it." },
  confidence: 0.9,
  alternatives: [],
};

test("a parameter that is infinite when it is read is left out, and costs nothing else", () => {
  const parameters: unknown = JSON.parse('{"cores": 1e999, "limit": 2}');
  const remediation = { ...FULL.remediation, parameters };
  const { answer } = readAnswer({ ...FULL, remediation });
  expect(answer?.faults[0]?.remediation.parameters).toEqual({ limit: 2 });
});

describe("names in other words", () => {
  test.each([
    ["radar", "radar-sensor"],
    ["RADAR-1", "radar-sensor"],
    ["Radar Sensor", "radar-sensor"],
    ["the radar_sensor", "radar-sensor"],
    ["esm-2", "esm-sensor"],
    ["eo-sensor:9103", "eo-sensor"],
    ["TRACK_FUSION", "track-fusion"],
    ["track-fusion-service", "track-fusion"],
    ["Command Centre", "command-center"],
    ["Host", "host"],
    ["telemetry", "telemetry"],
    ["none", null],
    ["", null],
    [null, null],
    ["mainframe", undefined],
    ["radar or eo", undefined],
    ["constructor", undefined],
    ["__proto__", undefined],
    [7, undefined],
  ])("%p is %p", (said, culprit) => {
    const named: unknown = culpritNamed(said);
    expect(named).toBe(culprit);
  });

  test.each([
    ["2026-01-01T02:00:00+02:00", "2026-01-01T00:00:00.000Z"],
    ["2026-01-01T02:00:00.5-0130", "2026-01-01T03:30:00.500Z"],
    ["2026-01-01 02:00 UTC", "2026-01-01T02:00:00.000Z"],
    ["2026-01-01T02:00:00z", "2026-01-01T02:00:00.000Z"],
    ["2026-01-01T02:00:00", "2026-01-01T02:00:00.000Z"],
    ["2026-13-01T02:00:00Z", undefined],
    ["yesterday", undefined],
    [1_767_225_600, undefined],
  ])("the time %p is %p", (said, time) => {
    expect(timeNamed(said)).toBe(time);
  });

  test.each([
    [0.8, 0.8],
    ["0.8", 0.8],
    ["80%", 0.8],
    [80, 0.8],
    ["0.5 %", 0.005],
    [101, undefined],
    [-0.1, undefined],
    [Number.NaN, undefined],
    ["very", undefined],
  ])("the probability %p is %p", (said, share) => {
    expect(probabilityNamed(said)).toBe(share);
  });
});

describe("readAnswer()", () => {
  test("reads both forms without a complaint", () => {
    const { culprit, fault_class, remediation, ...rest } = FULL;
    const set = readAnswer({ ...rest, faults: [{ culprit, fault_class, remediation }] });
    expect(set).toEqual(readAnswer(FULL));
    expect(set.complaints).toEqual([]);
    expect(readAnswer({ ...rest, faults: [] }).answer?.faults).toEqual([]);
  });

  test("reads classes and actions in any case and with any separator", () => {
    const { answer, complaints } = readAnswer({
      ...FULL,
      fault_class: "Process Exited",
      remediation: { ...FULL.remediation, action: "Start-Service", target: "EO-3" },
    });
    expect(complaints).toEqual([]);
    expect(answer?.faults[0]).toMatchObject({
      fault_class: "process_exited",
      remediation: { action: "start_service", target: "eo-sensor" },
    });
  });

  test("takes a class that is not listed as unknown, and says so", () => {
    const { answer, complaints } = readAnswer({ ...FULL, fault_class: "gremlins" });
    expect(answer?.faults[0]?.fault_class).toBe("unknown");
    expect(complaints).toHaveLength(1);
    expect(complaints[0]).toStartWith("faults.0.fault_class: must be one of process_exited,");
    expect(complaints[0]).toEndWith('(what is not listed counts as unknown), but is "gremlins"');
  });

  const malformed: readonly (readonly [string, object, string])[] = [
    ["culprit", { culprit: "mainframe" }, "faults.0.culprit: must be null or one of"],
    ["onset", { onset: "at noon" }, 'onset: must be null or a time in ISO 8601, but is "at noon"'],
    ["confidence", { confidence: "high" }, "confidence: must be a number from 0 to 1"],
    ["mechanism", { mechanism: 7 }, "mechanism: must be a text, but is 7"],
    ["remedy", { remediation: "pray" }, "faults.0.remediation.action: must be one of"],
    ["causal chain", { causal_chain: "a, b" }, "causal_chain: must be a list"],
    ["step", { causal_chain: [{ service: "x", effect: "y" }] }, "causal_chain.0.service"],
    ["citations", { evidence: "E1" }, "evidence: must be a list"],
    ["citation", { evidence: [CITATION, { signal: "up" }] }, "evidence.1.call_id: must be a text"],
    ["alternatives", { alternatives: {} }, "alternatives: must be a list"],
  ];
  test.each(malformed)("a malformed %s does not lose the rest", (name, change, complaint) => {
    const { answer, complaints } = readAnswer({ ...FULL, ...change });
    expect(complaints.join("\n")).toContain(complaint);
    expect(answer?.faults).toHaveLength(1);
    if (name !== "culprit") expect(answer?.faults[0]?.culprit).toBe("eo-sensor");
    if (name !== "citations") expect(answer?.evidence).toMatchObject([CITATION]);
    if (name === "confidence") expect(answer?.confidence).toBe(UNSTATED_CONFIDENCE);
  });

  test("keeps the first three of more faults", () => {
    const faults = ["hang", "oom_kill", "crash_loop", "data_quality"].map((fault_class) => ({
      culprit: "host",
      fault_class,
      remediation: FULL.remediation,
    }));
    const { answer, complaints } = readAnswer({ ...FULL, faults });
    expect(answer?.faults).toHaveLength(3);
    expect(complaints).toContain(
      "faults: must have at most 3 entries, but has 4; the first 3 count",
    );
  });

  test.each([[null], ["radar"], [[]], [{}], [{ faults: "radar" }], [{ cause: "radar" }]])(
    "%p is no answer",
    (raw) => {
      const { answer, complaints } = readAnswer(raw);
      expect(answer).toBeNull();
      expect(complaints[0]).toStartWith("faults: must be a list of none to 3 faults");
    },
  );
});

describe("a submission", () => {
  const records = [
    recordOf("E1", "promql", { query: "up" }, [
      { signal: "up", service: "eo-sensor", labels: {}, value: 0, when: "now" },
    ]),
  ];

  test("with a defect is sent back once, then accepted without it", () => {
    const submission = new Submission(() => records);
    const answer = { ...FULL, onset: "noon", evidence: [CITATION, { ...CITATION, value: 1 }] };
    const first = submission.submit(answer);
    if (first.accepted) throw new Error("the first was accepted");
    expect(first.reason).toContain("onset: must be null or a time in ISO 8601");
    expect(first.reason).toContain("call E1 gives another value of up");
    const second = submission.submit(answer);
    expect(second).toMatchObject({
      accepted: true,
      struck: 1,
      answer: { onset: null, evidence: [CITATION] },
      complaints: [expect.stringContaining("onset")],
    });
  });

  test("without a defect is accepted at once", () => {
    const verdict = new Submission(() => records).submit(FULL);
    expect(verdict).toMatchObject({ accepted: true, struck: 0, complaints: [] });
  });

  test("that is no answer is sent back as often as it comes, and its confidence is kept", () => {
    const submission = new Submission(() => []);
    for (let i = 0; i < 3; i++) {
      expect(submission.submit({ confidence: "90%" }).accepted).toBe(false);
    }
    expect(submission.statedConfidence).toBe(0.9);
  });
});
