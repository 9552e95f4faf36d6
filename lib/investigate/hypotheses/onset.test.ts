import { afterAll, expect, setDefaultTimeout, test } from "bun:test";
import { Simulation } from "../testing/simulation.ts";
import { changed, HEALTHY, simulatedAlert } from "../testing/system.ts";
import { findOnset } from "./onset.ts";
import { testHypothesis } from "./refute.ts";

const FLOOD = changed("eo-sensor", { published: 400 });
const REPLACED = changed("esm-sensor", { starts: 1 });

const ALERT = simulatedAlert("Sensor down", "eo-sensor", "it is gone");

const simulation = await Simulation.start([FLOOD, REPLACED, HEALTHY]);
afterAll(() => simulation[Symbol.asyncDispose]());
// The tests run hundreds of queries, which takes long on a busy machine.
setDefaultTimeout(60_000);

test("the earliest of the confirmed claims that began in sight", async () => {
  const { toolbox, at, clock, onsetMs } = simulation.of(FLOOD);
  const alert = at(ALERT);
  const tools = toolbox();
  const { checks } = await testHypothesis(
    { service: "eo-sensor", faultClass: "message_flood" },
    tools,
  );
  const onset = await findOnset("eo-sensor", checks, alert, clock.nowMs(), tools);
  // A rate over half a minute passes its limit within two scrapes.
  expect(onset).toBeWithin(onsetMs, onsetMs + 11_000);
});

test("what has held since a process was put in place began with it", async () => {
  const { toolbox, at, clock, onsetMs } = simulation.of(REPLACED);
  const alert = at(ALERT);
  expect(await findOnset("esm-sensor", [], alert, clock.nowMs(), toolbox())).toBe(onsetMs);
});

test("null where nothing began, and where nobody is to blame", async () => {
  const { toolbox, at, clock } = simulation.of(HEALTHY);
  const alert = at(ALERT);
  const tools = toolbox();
  const { checks } = await testHypothesis({ service: "radar-sensor", faultClass: "hang" }, tools);
  expect(await findOnset("radar-sensor", checks, alert, clock.nowMs(), tools)).toBeNull();
  expect(await findOnset(null, [], alert, clock.nowMs(), tools)).toBeNull();
});
