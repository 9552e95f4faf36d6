import { expect, test } from "bun:test";
import { answerOf, type SingleFaultAnswer } from "../../../contract/answer.ts";
import type { InvestigationOutcome } from "../../investigator.ts";
import { endingOf } from "./ending.ts";

const EXPECTED = { service: "eo-sensor", faultClass: "message_flood" } as const;

const answered = (answer: Partial<SingleFaultAnswer>): InvestigationOutcome => ({
  kind: "answered",
  answer: answerOf({
    culprit: "eo-sensor",
    fault_class: "message_flood",
    mechanism: "It floods.",
    onset: null,
    causal_chain: [],
    evidence: [],
    remediation: { action: "reduce_publish_rate", target: null, parameters: {}, prose: "" },
    confidence: 0.8,
    alternatives: [],
    ...answer,
  }),
});

test("an agent failure is wrong and has the worst Brier score", () => {
  expect(endingOf({ kind: "agent-failure", reason: "timeout" }, EXPECTED)).toEqual({
    service: false,
    right: false,
    brier: 1,
    said: "timeout",
  });
});

test("a right answer scores by its confidence, a wrong one against it", () => {
  expect(endingOf(answered({}), EXPECTED)).toMatchObject({ service: true, right: true });
  expect(endingOf(answered({}), EXPECTED).brier).toBeCloseTo(0.04);
  const wrong = endingOf(answered({ fault_class: "hang" }), EXPECTED);
  expect(wrong).toMatchObject({ service: true, right: false, said: "wrong, eo-sensor hang" });
  expect(wrong.brier).toBeCloseTo(0.64);
});

test("a service without a class is not a found service", () => {
  expect(endingOf(answered({ fault_class: "unknown" }), EXPECTED).service).toBe(false);
});
