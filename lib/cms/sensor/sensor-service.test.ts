import { expect, test } from "bun:test";
import type { ServiceName } from "../../contract/topology.ts";
import { FakeService } from "../../service/testing/fake-service.ts";
import { SENSOR_MODELS } from "./model.ts";
import { startSensor } from "./sensor-service.ts";

function startRadar(env: Readonly<Record<string, string>> = {}): FakeService {
  const service = new FakeService("radar-sensor", env);
  startSensor(service, "RADAR-1");
  return service;
}
/** Source tracks written and targets missed together: each target is one or the other in every scan. */
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
  startSensor(service, sensorId);
  // The first scan happens at once.
  service.clock.advance(10_000 - 1);
  const scans = 10 * SENSOR_MODELS[sensorId].rateHz;
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
    // Ten scans a second of three targets.
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

test("stopping ends the scans", async () => {
  const service = startRadar();
  await service.stop();
  service.clock.advance(10_000);
  expect(service.spans).toHaveLength(1);
});
