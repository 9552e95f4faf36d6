import { expect, test } from "bun:test";
import { confusionOf, type Examined, tierRows, worthOf } from "./breakdown.ts";

type Said = Examined["manifest"]["diagnosis"];
const fault = (fault_class: "hang" | "oom_kill" | "unknown") => ({
  culprit: "eo-sensor" as const,
  fault_class,
});

const one = (
  said: Said,
  { correct = false, abstained = false, confidence = 0.9 } = {},
  rest: Partial<Examined> = {},
): Examined => ({
  manifest: {
    investigator: "baseline",
    scenario: "process-freeze.eo-sensor",
    control: false,
    truth: [fault("hang")] as Examined["manifest"]["truth"],
    diagnosis: said,
    score: { correct, abstained, confidence } as Examined["manifest"]["score"],
  },
  tier: "easy",
  split: "public",
  ...rest,
});

const EXAMINED = [
  one([fault("hang")], { correct: true }),
  one([fault("oom_kill")]),
  one([fault("unknown")], { abstained: true }),
  one([], { confidence: 0.86 }),
  one([], { confidence: 0.5 }),
  one([fault("hang")], { correct: true }, { tier: "hard", split: "test" }),
];

test("worth counts who is right when it answers, and who says too surely that nothing is wrong", () => {
  expect(worthOf(EXAMINED)).toEqual([
    {
      investigator: "baseline",
      split: "public",
      n: 5,
      correct: 1,
      answered: 4,
      correctWhenAnswered: 1,
      falseCalm: 1,
    },
    expect.objectContaining({ split: "test", n: 1, correct: 1, falseCalm: 0 }),
  ]);
});

test("tiers are counted apart", () => {
  expect(tierRows(EXAMINED)).toEqual([
    ["baseline", "public", "1 of 5", "–", "–", "–"],
    ["baseline", "test", "–", "–", "1 of 1", "–"],
  ]);
});

test("the confusion says what was named for a class", () => {
  expect(confusionOf(EXAMINED, "baseline")).toEqual([
    ["hang", "hang 2, none 2, oom_kill 1, unknown 1"],
  ]);
  expect(confusionOf(EXAMINED, "react")).toEqual([]);
});
