/**
 * Runs each target briefly with a fixed seed: it accepts some inputs, refuses others, and never
 * crashes.
 */
import { afterAll, describe, expect, test } from "bun:test";
import { createPrng } from "../../base/prng.ts";
import { fuzz, inputOf } from "./fuzz.ts";
import { must, type Target } from "./target.ts";
import { createTargets } from "./targets.ts";

const targets = await createTargets();
afterAll(() => targets[Symbol.dispose]());

describe("every target", () => {
  test.each(targets.all.map((target) => [target.name, target] as const))(
    "%s",
    async (_, target) => {
      const inputs = target.usualInputs === undefined ? 600 : 150;
      const { taken, refused, findings } = await fuzz(target, { inputs, seed: 5 });
      expect(findings).toEqual([]);
      expect(taken).toBeGreaterThan(5);
      expect(refused).toBeGreaterThan(5);
    },
  );
});

const numbers: Target<number> = {
  name: "numbers",
  make: (prng) => Math.floor(prng.next() * 100),
  attempt: (input) => {
    must(input !== 42, "it is not 42");
    return input < 50 ? "taken" : "refused";
  },
  show: String,
};

test("a finding has its input and the index that makes it again", async () => {
  const { findings, inputs } = await fuzz(numbers, { inputs: 100_000, seed: 1 });
  expect(findings).toHaveLength(5);
  expect(inputs).toBeLessThan(5000);
  for (const { index, input, error } of findings) {
    expect([input, inputOf(numbers, 1, index)]).toEqual(["42", 42]);
    expect(error).toContain("broken rule: it is not 42");
  }
});

test("it ends after its time, and when it is told to", async () => {
  const endless = { ...numbers, make: () => createPrng(1).next() };
  const timed = await fuzz(endless, { inputs: 1e9, seconds: 0.05, seed: 1 });
  expect(timed.inputs).toBeGreaterThan(0);
  const stopped = await fuzz(endless, { inputs: 1e9, seed: 1, signal: AbortSignal.abort() });
  expect(stopped.inputs).toBe(0);
});
