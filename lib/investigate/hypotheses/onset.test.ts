import { expect, test } from "bun:test";
import { changed, HEALTHY, SIMULATED_ONSET, simulatedToolbox } from "../testing/system.ts";
import { findOnset } from "./onset.ts";
import { testHypothesis } from "./refute.ts";

const ALERT_MS = Date.parse("2026-01-01T00:02:00.000Z");
const NOW_MS = Date.parse("2026-01-01T00:03:00.000Z");

test("the earliest of the confirmed claims that began in sight", async () => {
  const tools = simulatedToolbox(changed("eo-sensor", { published: 400 }));
  const { checks } = await testHypothesis(
    { service: "eo-sensor", faultClass: "message_flood" },
    tools,
  );
  const onset = await findOnset("eo-sensor", checks, ALERT_MS, NOW_MS, tools);
  expect(onset).toBe(Date.parse(SIMULATED_ONSET));
});

test("what has held since a process was put in place began with it", async () => {
  const tools = simulatedToolbox(changed("esm-sensor", { starts: 1 }));
  const onset = await findOnset("esm-sensor", [], ALERT_MS, NOW_MS, tools);
  expect(onset).toBe(Date.parse(SIMULATED_ONSET));
});

test("null where nothing began, and where nobody is to blame", async () => {
  const tools = simulatedToolbox(HEALTHY);
  const { checks } = await testHypothesis({ service: "radar-sensor", faultClass: "hang" }, tools);
  expect(await findOnset("radar-sensor", checks, ALERT_MS, NOW_MS, tools)).toBeNull();
  expect(await findOnset(null, [], ALERT_MS, NOW_MS, tools)).toBeNull();
});
