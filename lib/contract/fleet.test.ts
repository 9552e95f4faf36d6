import { describe, expect, test } from "bun:test";
import { DEFAULT_FLEET, readFleet } from "./fleet.ts";
import { SENSOR_IDS, SERVICES, serviceOfSensor, TOPOLOGY } from "./topology.ts";

test("a configured sensor belongs to the service of its kind", () => {
  expect(serviceOfSensor("RADAR-1")).toBe("radar-sensor");
  expect(serviceOfSensor("RADAR-10")).toBe("radar-sensor");
  expect(serviceOfSensor("EO-9")).toBe("eo-sensor");
  expect(serviceOfSensor("LIDAR-1")).toBeUndefined();
});

describe("readFleet()", () => {
  test("without variables it is three targets and the sensors of the topology", () => {
    expect(readFleet({})).toEqual(DEFAULT_FLEET);
    const own = SERVICES.flatMap((name) => TOPOLOGY[name].sensorId ?? []);
    expect([...SENSOR_IDS]).toEqual(own);
  });

  test("takes ten radars, a thousand targets and a seed", () => {
    const radars = Array.from({ length: 10 }, (_, i) => `RADAR-${i + 1}`);
    const fleet = readFleet({
      CMS_TARGETS: "1000",
      CMS_SENSORS: [...radars, "ESM-2", "EO-3"].join(", "),
      CMS_SEED: "4294967295",
      CMS_TARGET_SEPARATION_M: "1000",
    });
    expect(fleet).toEqual({
      targets: 1000,
      sensors: [...radars, "ESM-2", "EO-3"],
      seed: 4294967295,
      separationM: 1000,
    });
  });

  test.each([
    ["CMS_TARGETS", "0"],
    ["CMS_TARGETS", "1001"],
    ["CMS_TARGETS", "2.5"],
    ["CMS_SEED", "-1"],
    ["CMS_SEED", "now"],
    ["CMS_SENSORS", "RADAR-1,RADAR-1"],
    ["CMS_SENSORS", "RADAR-1,,EO-3"],
    ["CMS_SENSORS", "LIDAR-1"],
    ["CMS_TARGET_SEPARATION_M", "10"],
  ])("%s=%s is an error that names the variable, the rule and the value", (name, value) => {
    expect(() => readFleet({ [name]: value })).toThrow(
      new RegExp(`^Cannot use ${name}: it must be .+, but is "${value}"$`),
    );
  });
});
