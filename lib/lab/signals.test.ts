/** Checks that every declared signal arrives in the native lab. */
import { describe, expect, test } from "bun:test";
import { messageOf } from "../base/errors.ts";
import { SENSOR_IDS, SERVICES, TOPOLOGY } from "../contract/topology.ts";
import { createLab } from "./create-lab.ts";
import { preflight } from "./native/preflight.ts";
import { runSignalSuite } from "./testing/signals.case.ts";

const LAB_INDEX = 5;

const canRun = await preflight(LAB_INDEX)
  .then(() => true)
  .catch((error: unknown) => /port/.test(messageOf(error)));

describe.skipIf(!canRun)("signals of a real lab (needs root, Linux and its tools)", () => {
  runSignalSuite({
    makeLab: () => createLab({ engine: "native", index: LAB_INDEX, lifetime: "with-caller" }),
    ingress: "telemetry",
  });
});

test("sensors in the topology are the sensors in the labels", () => {
  const sensors = SERVICES.filter((name) => TOPOLOGY[name].sensorId !== undefined);
  expect(sensors.map((name) => TOPOLOGY[name].sensorId ?? "")).toEqual([...SENSOR_IDS]);
});
