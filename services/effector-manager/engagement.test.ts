import { expect, test } from "bun:test";
import { createPrng } from "../../lib/base/prng.ts";
import { planCourse } from "./engagement.ts";

test("a course launches before it ends, and is the same for the same seed", () => {
  const prng = createPrng(3);
  for (let i = 0; i < 1000; i++) {
    const { launchMs, endMs } = planCourse(prng);
    expect(endMs).toBeGreaterThan(launchMs);
    expect(endMs).toBeLessThanOrEqual(9000);
  }
  expect(planCourse(createPrng(4))).toEqual(planCourse(createPrng(4)));
});

test("about seven of ten engagements hit", () => {
  const prng = createPrng(5);
  const hits = Array.from({ length: 5000 }, () => planCourse(prng)).filter(
    ({ outcome }) => outcome === "HIT",
  );
  expect(Math.abs(hits.length / 5000 - 0.7)).toBeLessThan(0.03);
});
