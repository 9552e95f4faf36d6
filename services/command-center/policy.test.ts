import { expect, test } from "bun:test";
import { Policy, REPEAT_MS } from "./policy.ts";

const threat = (level: "LOW" | "MEDIUM" | "HIGH" | "CRITICAL", track_id = "T") => ({
  track_id,
  level,
  rationale: "because",
});

test.each([
  ["LOW", "MONITOR"],
  ["MEDIUM", "MONITOR"],
  ["HIGH", "ENGAGE"],
  ["CRITICAL", "ENGAGE"],
] as const)("a %s threat is ordered to %s", (level, action) => {
  expect(new Policy().decide(threat(level), 0)).toEqual({
    action,
    reason: `new threat ${level}: because`,
  });
});

test("the same threat is ordered against again only after a while; a new level at once", () => {
  const policy = new Policy();
  policy.decide(threat("LOW"), 0);
  expect(policy.decide(threat("LOW"), REPEAT_MS - 1)).toBeUndefined();
  expect(policy.decide(threat("LOW"), REPEAT_MS)?.reason).toBe("still LOW: because");
  expect(policy.decide(threat("HIGH"), REPEAT_MS + 1)?.reason).toBe("now HIGH: because");
  expect(policy.decide(threat("LOW", "other"), REPEAT_MS + 2)?.action).toBe("MONITOR");
});

test("a track that is gone is forgotten", () => {
  const policy = new Policy();
  policy.decide(threat("LOW"), 0);
  policy.forget(120_000);
  expect(policy.decide(threat("LOW"), 120_001)?.reason).toBe("new threat LOW: because");
});
