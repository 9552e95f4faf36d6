import { describe, expect, test } from "bun:test";
import type { Answer, Culprit, NamedFault } from "../contract/answer.ts";
import type { TrueFault, Truth } from "../truth/truth.ts";
import { diagnosisOf } from "./diagnosis.ts";

const named = (
  culprit: Culprit | null,
  fault_class: NamedFault["fault_class"],
  target: Culprit | null = culprit,
): NamedFault => ({
  culprit,
  fault_class,
  remediation: { action: "restart_service", target, parameters: {}, prose: "" },
});

const answer = (...faults: NamedFault[]): Answer => ({
  faults,
  mechanism: "",
  onset: null,
  causal_chain: [],
  evidence: [],
  confidence: 0.5,
  alternatives: [],
});

const fault = (
  culprit: Culprit,
  fault_class: TrueFault["fault_class"],
  change: Partial<TrueFault> = {},
): TrueFault => ({
  culprit,
  fault_class,
  also_accept: [],
  remediation: { actions: ["restart_service"], target: culprit },
  ...change,
});

const truth = (...faults: TrueFault[]): Truth => ({
  faults,
  mechanism: "m",
  evidence: [],
  misattributions: [],
});

const LEAK = fault("track-fusion", "memory_leak");
const FLOOD = fault("radar-sensor", "message_flood");
const LEAKS = named("track-fusion", "memory_leak");
const FLOODS = named("radar-sensor", "message_flood");
const HANGS = named("eo-sensor", "hang");
const UNSURE = named(null, "unknown");

describe("the share of a diagnosis", () => {
  const cases: readonly (readonly [string, Truth, Answer, number])[] = [
    ["one fault, named", truth(LEAK), answer(LEAKS), 1],
    ["one fault, missed", truth(LEAK), answer(FLOODS), 0],
    ["one fault, and another one named", truth(LEAK), answer(LEAKS, HANGS), 1 / 2],
    ["one fault among three", truth(LEAK), answer(HANGS, LEAKS, FLOODS), 1 / 3],
    ["two faults, both named in any order", truth(LEAK, FLOOD), answer(FLOODS, LEAKS), 1],
    ["two faults, one missed", truth(LEAK, FLOOD), answer(LEAKS), 0],
    ["two faults, one of three wrong", truth(LEAK, FLOOD), answer(LEAKS, FLOODS, HANGS), 2 / 3],
    ["nothing wrong, nothing named", truth(), answer(), 1],
    ["nothing wrong, a fault named", truth(), answer(LEAKS), 0],
    ["nothing wrong, not known", truth(), answer(UNSURE), 0],
    ["one fault, called nothing", truth(LEAK), answer(), 0],
    ["one fault, not known", truth(LEAK), answer(UNSURE), 0],
    ["the right service without a class", truth(LEAK), answer(named("track-fusion", "unknown")), 0],
    ["a hedge beside the right one", truth(LEAK), answer(LEAKS, UNSURE), 1 / 2],
  ];
  test.each(cases)("%s", (_, was, said, share) => {
    expect(diagnosisOf(said, was)).toMatchObject({ share, correct: share === 1 });
  });

  test("naming nothing but unknown is an abstention, whatever was wrong", () => {
    for (const was of [truth(), truth(LEAK)]) {
      expect(diagnosisOf(answer(UNSURE), was).abstained).toBe(true);
      expect(diagnosisOf(answer(), was).abstained).toBe(false);
      expect(diagnosisOf(answer(UNSURE, LEAKS), was).abstained).toBe(false);
    }
  });
});

describe("answers that telemetry cannot tell apart", () => {
  const link = truth(
    fault("esm-sensor", "packet_loss_or_delay", {
      other_end: "track-fusion",
      also_accept: [
        { fault_class: "network_partition", why: "all of it may be lost" },
        { culprit: "host", fault_class: "cpu_starvation", why: "the host's switch is slow" },
      ],
    }),
  );
  const cases: readonly (readonly [Culprit, NamedFault["fault_class"], number])[] = [
    ["esm-sensor", "packet_loss_or_delay", 1],
    ["track-fusion", "packet_loss_or_delay", 1],
    ["track-fusion", "network_partition", 1],
    ["host", "cpu_starvation", 1],
    ["host", "packet_loss_or_delay", 0],
    ["eo-sensor", "packet_loss_or_delay", 0],
  ];
  test.each(cases)("%s with %s is worth %d", (culprit, faultClass, share) => {
    expect(diagnosisOf(answer(named(culprit, faultClass)), link).share).toBe(share);
  });

  test("one fault is not two: naming both ends is naming one too many", () => {
    const both = answer(
      named("esm-sensor", "packet_loss_or_delay"),
      named("track-fusion", "packet_loss_or_delay"),
    );
    expect(diagnosisOf(both, link)).toMatchObject({ share: 1 / 2, component: false });
  });

  test("a remedy may be aimed at the end that was named", () => {
    const at = (target: Culprit): boolean =>
      diagnosisOf(answer(named("track-fusion", "packet_loss_or_delay", target)), link).remediation;
    expect([at("track-fusion"), at("esm-sensor"), at("eo-sensor")]).toEqual([true, true, false]);
  });
});

test("two faults that accept the same answer need one each", () => {
  const alike = fault("track-fusion", "cpu_starvation", {
    also_accept: [{ fault_class: "memory_leak", why: "it swaps" }],
  });
  expect(diagnosisOf(answer(LEAKS), truth(LEAK, alike)).share).toBe(0);
  const both = answer(LEAKS, named("track-fusion", "cpu_starvation"));
  expect(diagnosisOf(both, truth(LEAK, alike)).share).toBe(1);
  expect(diagnosisOf(both, truth(alike, LEAK)).share).toBe(1);
});
