import { expect, test } from "bun:test";
import { FakeService } from "../../lib/service/testing/fake-service.ts";
import { sampleOf } from "../../lib/service/testing/messages.ts";
import { startFusion } from "./fusion.ts";

function start(env: Readonly<Record<string, string>> = {}): FakeService {
  const service = new FakeService("track-fusion", env);
  startFusion(service);
  return service;
}

/** Lets the service work through what waits in its inbox: one portion a turn of the event loop. */
async function settle(service: FakeService): Promise<void> {
  for (let turn = 0; turn < 2000; turn++) {
    await new Promise((done) => setImmediate(done));
    if ((await service.metric("cms_fusion_queue_depth")) === 0) return;
  }
  throw new Error("fusion does not work through its inbox");
}

const detections = (count: number, fields: Parameters<typeof sampleOf<"SourceTrackTopic">>[1]) =>
  Array.from({ length: count }, () => sampleOf("SourceTrackTopic", fields));

test("publishes a tactical track for each source track, with its trace", async () => {
  const service = start();
  service.deliver("SourceTrackTopic", [
    sampleOf("SourceTrackTopic", { sensor_id: "RADAR-1" }),
    sampleOf("SourceTrackTopic", { sensor_id: "EO-3" }),
  ]);
  expect(service.published("TacticalTrackTopic")).toEqual([]);
  expect(await service.metric("cms_fusion_queue_depth")).toBe(2);
  await settle(service);
  const published = service.published("TacticalTrackTopic");
  expect(published).toHaveLength(2);
  expect(new Set(published.map(({ track_id: id }) => id)).size).toBe(1);
  expect(published[1]?.contributing_sensors).toEqual(expect.arrayContaining(["RADAR-1", "EO-3"]));
  expect(published[0]?.trace.traceparent).toMatch(/^00-/);
  expect(service.spans.map(({ attributes }) => attributes["sensor.id"])).toEqual([
    "RADAR-1",
    "EO-3",
  ]);
  expect(await service.metric('cms_fusion_ingested_total{sensor_id="EO-3"}')).toBe(1);
  expect(await service.metric("cms_fusion_published_total")).toBe(2);
  expect(await service.metric("cms_fusion_active_tracks")).toBe(1);
});

test("logs and counts each sensor that joins a track", async () => {
  const service = start();
  for (const sensor_id of ["RADAR-1", "EO-3", "EO-3"]) {
    service.deliver("SourceTrackTopic", detections(1, { sensor_id }));
  }
  await settle(service);
  expect(service.logged("tactical_track_contributors_changed")).toMatchObject([
    { added: ["RADAR-1"], removed: [] },
    { added: ["EO-3"], removed: [] },
  ]);
  const added = 'cms_fusion_contributors_changed_total{change="added"}';
  expect(await service.metric(added)).toBe(2);
});

test("rejects a source track whose position is not finite", async () => {
  const service = start();
  service.deliver("SourceTrackTopic", detections(1, { position: { x: Number.NaN, y: 0, z: 0 } }));
  await settle(service);
  expect(service.published("TacticalTrackTopic")).toEqual([]);
  expect(service.rejected.map(({ topic }) => topic)).toEqual(["SourceTrackTopic"]);
});

test("drops what a full inbox does not take, and logs it at most every ten seconds", async () => {
  const service = start();
  service.deliver("SourceTrackTopic", detections(10_003, {}));
  expect(service.logged("fusion_queue_full_dropping")).toMatchObject([
    { queue_depth: 10_000, dropped_total: 1 },
  ]);
  await settle(service);
  expect(service.published("TacticalTrackTopic")).toHaveLength(10_000);
});

test("measures from the time at which a source track was taken off DDS, its wait included", async () => {
  const service = start();
  service.deliver("SourceTrackTopic", detections(1, {}));
  service.clock.stall(700);
  await settle(service);
  expect(await service.metric("cms_fusion_processing_seconds_sum")).toBeCloseTo(0.7, 6);
});

test("ends the instance of a track that nothing updates", async () => {
  const service = start();
  service.deliver("SourceTrackTopic", detections(1, {}));
  await settle(service);
  const [track] = service.published("TacticalTrackTopic");
  service.clock.advance(10_000);
  expect(service.retired("TacticalTrackTopic")).toEqual([{ track_id: track?.track_id ?? "" }]);
  expect(await service.metric("cms_fusion_active_tracks")).toBe(0);
  expect(await service.metric("cms_fusion_memory_bytes")).toBeGreaterThan(0);
});
