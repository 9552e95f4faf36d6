import { expect, test } from "bun:test";
import { findScenario } from "./load.ts";

test.each([
  ["sensor-down", "sensor-down"],
  ["process-exit.eo-sensor", "process-exit.eo-sensor"],
  ["no-such-folder", undefined],
  ["no-such-kind.eo-sensor", undefined],
  ["process-exit.no-such-service", undefined],
])("a kept result of %s has the scenario %p", async (name, wanted) => {
  expect((await findScenario(name))?.name).toBe(wanted);
});
