import { expect, test } from "bun:test";
import { sensorKindOf, type ServiceName } from "../../contract/topology.ts";
import { FakeService } from "../../service/testing/fake-service.ts";
import { modelOf } from "./model.ts";
import { startSensors } from "./sensor-service.ts";

function startRadar(env: Readonly<Record<string, string>> = {}): FakeService {
  const service = new FakeService("radar-sensor", env);
  startSensors(service, "RADAR");
  return service;
}
/** Sum of source tracks written and targets missed: each target counts once in every scan. */
const looks = async (service: FakeService, sensorId: string): Promise<number> => {
  const missed = await service.metric(`cms_sensor_undetected_total{sensor_id="${sensorId}"}`);
  return service.published("SourceTrackTopic").length + (missed ?? 0);
};

test.each([
  ["radar-sensor", "RADAR-1"],
  ["esm-sensor", "ESM-2"],
  ["eo-sensor", "EO-3"],
] as const)("%s scans at its own rate, one span a scan", async (name: ServiceName, sensorId) => {
  const service = new FakeService(name);
  startSensors(service, sensorKindOf(sensorId) ?? "RADAR");
  // The first scan happens at the start.
  service.clock.advance(10_000 - 1);
  const scans = 10 * modelOf(sensorId).rateHz;
  expect(service.spans).toHaveLength(scans);
  expect(service.spans[0]).toMatchObject({
    name: `sensor.scan.${sensorId}`,
    attributes: { "sensor.id": sensorId },
  });
  expect(await looks(service, sensorId)).toBe(3 * scans);
  const published = service.published("SourceTrackTopic");
  expect(await service.metric(`cms_sensor_published_total{sensor_id="${sensorId}"}`)).toBe(
    published.length,
  );
  expect(published.map(({ sequence_number: n }) => n)).toEqual(published.map((_, i) => i + 1));
  expect(service.logged("sensor_started")).toMatchObject([{ sensor_id: sensorId }]);
});

test("PUBLISH_RATE_HZ replaces the sensor's own rate", () => {
  const service = startRadar({ PUBLISH_RATE_HZ: "200" });
  service.clock.advance(999);
  expect(service.spans).toHaveLength(200);
});

test("a heartbeat every 30 s says what was observed since the last one", () => {
  const service = startRadar();
  service.clock.advance(60_000);
  const beats = service.logged("sensor_heartbeat");
  expect(beats).toHaveLength(2);
  for (const beat of beats) {
    const rates = ["publish_rate_hz_observed", "drop_rate_hz_observed"].map((f) => Number(beat[f]));
    // Three targets, ten scans a second.
    expect(Math.abs((rates[0] ?? 0) + (rates[1] ?? 0) - 30)).toBeLessThan(0.2);
  }
});

test("a scan that is late leaves out what it missed, and logs it at most every ten seconds", () => {
  const service = startRadar();
  service.clock.advance(1000);
  const before = service.spans.length;
  service.clock.stall(550);
  service.clock.advance(0);
  expect(service.spans).toHaveLength(before + 1);
  expect(service.logged("sensor_loop_overrun")).toMatchObject([
    { sensor_id: "RADAR-1", late_ms: 450, period_ms: 100, skipped_scans: 4 },
  ]);
  service.clock.advance(100);
  service.clock.stall(500);
  service.clock.advance(0);
  expect(service.logged("sensor_loop_overrun")).toHaveLength(1);
});

test("CMS_SENSORS starts as many radars as it names, each with its own series from 0", async () => {
  const ids = Array.from({ length: 10 }, (_, i) => `RADAR-${i + 1}`);
  const service = startRadar({ CMS_SENSORS: [...ids, "ESM-2", "EO-3"].join(",") });
  service.clock.advance(999);
  expect(service.spans).toHaveLength(100);
  expect(service.logged("sensor_started").map((line) => line["sensor_id"])).toEqual(ids);
  for (const id of ids) expect(await looks(service, id)).toBeGreaterThan(0);
  const seen = new Set(service.published("SourceTrackTopic").map(({ sensor_id: id }) => id));
  expect(seen).toEqual(new Set(ids));
});

test("without a sensor of its kind a service says so instead of idling", () => {
  expect(() => startRadar({ CMS_SENSORS: "ESM-2,EO-3" })).toThrow(
    "CMS_SENSORS must name a sensor such as RADAR-1, but names ESM-2, EO-3",
  );
});

test("CMS_TARGETS decides how many targets a scan looks for", async () => {
  const service = startRadar({ CMS_TARGETS: "1000" });
  expect(await looks(service, "RADAR-1")).toBe(1000);
});

test("CMS_SEED decides the targets' places and the noise, for every run alike", () => {
  const first = (env: Readonly<Record<string, string>>, startMs = 0) => {
    const service = new FakeService("radar-sensor", env);
    service.clock.stall(startMs);
    startSensors(service, "RADAR");
    return service.published("SourceTrackTopic").map(({ position }) => position);
  };
  expect(first({ CMS_SEED: "7" })).toEqual(first({ CMS_SEED: "7" }));
  const [a] = first({ CMS_SEED: "7" });
  const [b] = first({ CMS_SEED: "8" });
  expect(Math.hypot((a?.x ?? 0) - (b?.x ?? 0), (a?.y ?? 0) - (b?.y ?? 0))).toBeGreaterThan(1000);
  // Without a seed, the clock seeds the noise.
  expect(first({}, 1)).not.toEqual(first({}, 0));
});

test("stopping ends the scans", async () => {
  const service = startRadar();
  await service.stop();
  service.clock.advance(10_000);
  expect(service.spans).toHaveLength(1);
});
