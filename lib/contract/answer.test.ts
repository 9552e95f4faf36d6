import { expect, test } from "bun:test";
import { AnswerSchema, AnswerShape, describeFaults } from "./answer.ts";

const remediation = { action: "restart_service", target: "host", parameters: {}, prose: "" };
const rest = {
  mechanism: "m",
  onset: "2026-01-01T00:00:00+02:00",
  causal_chain: [],
  evidence: [],
  confidence: 0.5,
  alternatives: [],
};
const fault = (culprit: string | null, fault_class: string) => ({
  culprit,
  fault_class,
  remediation,
});
const faultsOf = (raw: object) =>
  AnswerSchema.parse(raw).faults.map(({ culprit, fault_class }) => [culprit, fault_class]);

test("the single-fault form becomes a set, and `none` an empty one", () => {
  expect(faultsOf({ ...rest, ...fault("host", "hang") })).toEqual([["host", "hang"]]);
  expect(faultsOf({ ...rest, ...fault(null, "none") })).toEqual([]);
  expect(faultsOf({ ...rest, ...fault(null, "unknown") })).toEqual([[null, "unknown"]]);
  expect(AnswerShape.safeParse({ ...rest, ...fault("host", "hang") }).success).toBe(false);
});

test("a set holds none to three faults, each once", () => {
  const [a, b] = [fault("telemetry", "clock_skew"), fault("host", "hang")];
  expect(faultsOf({ ...rest, faults: [] })).toEqual([]);
  expect(faultsOf({ ...rest, faults: [a, b, a, fault(null, "none")] })).toEqual([
    ["telemetry", "clock_skew"],
    ["host", "hang"],
  ]);
  const four = ["hang", "oom_kill", "crash_loop", "data_quality"].map((name) =>
    fault("host", name),
  );
  expect(AnswerSchema.safeParse({ ...rest, faults: four }).success).toBe(false);
});

test("a fault in one of the forms is no fault in the other", () => {
  expect(AnswerSchema.safeParse({ ...rest, faults: [], ...fault("host", "hang") }).success).toBe(
    false,
  );
  expect(AnswerSchema.safeParse(rest).success).toBe(false);
  expect(AnswerSchema.safeParse(null).success).toBe(false);
});

test("faults in a few words", () => {
  const { faults } = AnswerSchema.parse({
    ...rest,
    faults: [fault("host", "hang"), fault(null, "unknown")],
  });
  expect(describeFaults(faults)).toBe("host, hang; no service, unknown");
  expect(describeFaults([])).toBe("nothing is wrong");
});
