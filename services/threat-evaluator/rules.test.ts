import { describe, expect, test } from "bun:test";
import { rate } from "./rules.ts";

const track = (classification: "MISSILE" | "AIRCRAFT" | "UNKNOWN", speed: number, z: number) => ({
  classification,
  velocity: { x: speed, y: 0, z: 0 },
  position: { x: 0, y: 0, z },
});

describe("rate()", () => {
  test.each([
    ["MISSILE", 600, 3000, "CRITICAL", 1],
    ["AIRCRAFT", 250, 7000, "MEDIUM", 3],
    ["AIRCRAFT", 220, 10_500, "LOW", 4],
    ["UNKNOWN", 600, 3000, "HIGH", 2],
  ] as const)("%s at %d m/s and %d m is %s", (classification, speed, z, level, priority) => {
    const rating = rate(track(classification, speed, z), undefined);
    expect(rating).toMatchObject({ level, priority });
    expect(rating.rationale).toBe(`${classification} at ${speed} m/s, ${z} m`);
  });

  test("a level is kept until the score is clearly beyond its limit, in both directions", () => {
    // An aircraft at 7000 m scores 30 points plus speed / 20; MEDIUM begins at 38.
    expect(rate(track("AIRCRAFT", 200, 7000), "LOW").level).toBe("LOW");
    expect(rate(track("AIRCRAFT", 260, 7000), "LOW").level).toBe("MEDIUM");
    expect(rate(track("AIRCRAFT", 130, 7000), "MEDIUM").level).toBe("MEDIUM");
    expect(rate(track("AIRCRAFT", 60, 7000), "MEDIUM").level).toBe("LOW");
  });

  test("speed counts up to its most, so that no score passes 100", () => {
    expect(rate(track("MISSILE", 1e9, 0), undefined).score).toBe(100);
  });
});
