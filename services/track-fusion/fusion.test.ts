import { expect, test } from "bun:test";
import { START_UNIX_MS } from "../../lib/service/testing/fake-clock.ts";
import { FakeService } from "../../lib/service/testing/fake-service.ts";
import { sampleOf } from "../../lib/service/testing/messages.ts";
import { startFusion } from "./fusion.ts";
import { MAX_WAIT_MS } from "./tracking/scans.ts";

function start(env: Readonly<Record<string, string>> = {}): FakeService {
  const service = new FakeService("track-fusion", env);
  startFusion(service);
  return service;
}

/** Lets the service process its inbox, and waits until every scan is complete. */
async function settle(service: FakeService): Promise<void> {
  for (let round = 0; round < 20; round++) {
    // A full inbox needs 625 turns of the event loop.
    for (let turn = 0; turn < 700; turn++) await new Promise((done) => setImmediate(done));
    service.clock.advance(MAX_WAIT_MS);
    if ((await service.metric("cms_fusion_queue_depth")) === 0) return;
  }
  throw new Error("fusion does not work through its inbox");
}

type Fields = Parameters<typeof sampleOf<"SourceTrackTopic">>[1];

/** Detections of one target, one scan each, 100 ms apart, the last one at the clock's time. */
function sightings(service: FakeService, count: number, fields: Fields = {}) {
  const nowMs = service.clock.nowMs();
  return Array.from({ length: count }, (_, i) => {
    const agoS = (count - 1 - i) / 10;
    return sampleOf("SourceTrackTopic", {
      observed_unix_ms: nowMs - agoS * 1000,
      position: { x: 1000 - agoS * 200, y: 2000, z: 5000 },
      ...fields,
    });
  });
}

test("publishes a tactical track for each source track of a confirmed track, with its trace", async () => {
  const service = start();
  service.deliver("SourceTrackTopic", sightings(service, 4));
  expect(service.published("TacticalTrackTopic")).toEqual([]);
  expect(await service.metric("cms_fusion_queue_depth")).toBe(4);
  await settle(service);
  const published = service.published("TacticalTrackTopic");
  expect(published).toHaveLength(2);
  expect(new Set(published.map(({ track_id: id }) => id)).size).toBe(1);
  expect(published[0]?.trace.traceparent).toMatch(/^00-/);
  expect(service.spans).toHaveLength(4);
  const id = published[0]?.track_id ?? "";
  expect(service.spans.map(({ attributes }) => attributes)).toEqual([
    { "sensor.id": "RADAR-1" },
    { "sensor.id": "RADAR-1" },
    { "sensor.id": "RADAR-1", tactical_track_id: id },
    { "sensor.id": "RADAR-1", tactical_track_id: id },
  ]);
  expect(await service.metric('cms_fusion_ingested_total{sensor_id="RADAR-1"}')).toBe(4);
  expect(await service.metric("cms_fusion_published_total")).toBe(2);
  expect(await service.metric("cms_fusion_active_tracks")).toBe(1);
});

test("the time of a track is that of its observation, however late it is processed", async () => {
  const service = start();
  const messages = sightings(service, 3);
  service.clock.stall(90_000);
  service.deliver("SourceTrackTopic", messages);
  await settle(service);
  const [track] = service.published("TacticalTrackTopic");
  expect(track?.updated_unix_ms).toBe(messages[2]?.observed_unix_ms ?? 0);
  expect(service.clock.nowMs() - (track?.updated_unix_ms ?? 0)).toBeGreaterThanOrEqual(90_000);
  expect(Math.abs((track?.position.x ?? 0) - 1000)).toBeLessThan(1);
});

test("logs and counts each sensor that joins a track", async () => {
  const service = start();
  service.deliver("SourceTrackTopic", [
    ...sightings(service, 3),
    ...sightings(service, 2, { sensor_id: "EO-3", position_sigma_m: 15 }).slice(1),
  ]);
  await settle(service);
  expect(service.logged("tactical_track_contributors_changed")).toMatchObject([
    { added: ["RADAR-1"], removed: [], contributing_sensors: ["RADAR-1"] },
    { added: ["EO-3"], removed: [], contributing_sensors: ["EO-3", "RADAR-1"] },
  ]);
  const changes = "cms_fusion_contributors_changed_total";
  expect(await service.metric(`${changes}{change="added"}`)).toBe(2);
  expect(await service.metric(`${changes}{change="removed"}`)).toBe(0);
});

test.each([
  ["not_finite", { position: { x: Number.NaN, y: 0, z: 0 } }],
  ["not_finite", { velocity: { x: 0, y: Number.NaN, z: 0 } }],
  ["not_positive", { position_sigma_m: 0 }],
  ["unknown_sensor", { sensor_id: "RADAR-2" }],
  ["in_the_future", { observed_unix_ms: START_UNIX_MS + 60_000 }],
])("refuses and counts a source track that is %s", async (reason, fields) => {
  const service = start();
  expect(await service.metric(`cms_fusion_refused_total{reason="${reason}"}`)).toBe(0);
  service.deliver("SourceTrackTopic", sightings(service, 3, fields));
  await settle(service);
  expect(service.published("TacticalTrackTopic")).toEqual([]);
  expect(service.rejected[0]).toEqual({ topic: "SourceTrackTopic", reason });
  expect(await service.metric(`cms_fusion_refused_total{reason="${reason}"}`)).toBe(3);
});

test("a velocity that is not finite does not split the target", async () => {
  const service = start();
  const messages = sightings(service, 9);
  const bad = sampleOf("SourceTrackTopic", {
    observed_unix_ms: service.clock.nowMs() - 450,
    velocity: { x: Number.NaN, y: 0, z: 0 },
  });
  service.deliver("SourceTrackTopic", [...messages.slice(0, 5), bad, ...messages.slice(5)]);
  await settle(service);
  expect(await service.metric("cms_fusion_active_tracks")).toBe(1);
});

test("takes in any sensor that is configured", async () => {
  const service = start({ CMS_SENSORS: "RADAR-1,RADAR-2,ESM-2,EO-3" });
  expect(await service.metric('cms_fusion_ingested_total{sensor_id="RADAR-2"}')).toBe(0);
  service.deliver("SourceTrackTopic", sightings(service, 3, { sensor_id: "RADAR-2" }));
  await settle(service);
  expect(service.published("TacticalTrackTopic")).toMatchObject([
    { contributing_sensors: ["RADAR-2"] },
  ]);
});

test("drops what a full inbox does not take, and logs it at most every ten seconds", async () => {
  const service = start({ CMS_INBOX_CAPACITY: "20" });
  service.deliver("SourceTrackTopic", sightings(service, 23));
  expect(service.logged("fusion_queue_full_dropping")).toMatchObject([
    { queue_depth: 20, dropped_total: 1 },
  ]);
  await settle(service);
  expect(service.published("TacticalTrackTopic")).toHaveLength(20 - 2);
});

test("measures from the time at which a source track was taken off DDS, its wait included", async () => {
  const service = start();
  service.deliver("SourceTrackTopic", sightings(service, 1));
  service.clock.stall(700);
  await settle(service);
  const seconds = (await service.metric("cms_fusion_processing_seconds_sum")) ?? 0;
  expect(seconds).toBeCloseTo(0.7 + MAX_WAIT_MS / 1000, 6);
});

test("ends the instance of a track that nothing updates", async () => {
  const service = start();
  service.deliver("SourceTrackTopic", sightings(service, 3));
  await settle(service);
  const [track] = service.published("TacticalTrackTopic");
  expect(track?.track_id).toMatch(/^TT-[0-9A-Z]+-0001$/);
  service.clock.advance(10_000);
  expect(service.retired("TacticalTrackTopic")).toEqual([{ track_id: track?.track_id ?? "" }]);
  expect(await service.metric("cms_fusion_active_tracks")).toBe(0);
  expect(await service.metric("cms_fusion_memory_bytes")).toBeGreaterThan(0);
});

test("does not end tracks by the clock while source tracks wait", async () => {
  const service = start();
  service.deliver("SourceTrackTopic", sightings(service, 3));
  await settle(service);
  service.deliver("SourceTrackTopic", sightings(service, 100));
  // The service gets no turn of the event loop for longer than a track may be silent.
  service.clock.advance(20_000);
  expect(service.retired("TacticalTrackTopic")).toEqual([]);
});

test("two runs share no track id", async () => {
  const ids = await Promise.all(
    [0, 1].map(async (startMs) => {
      const service = new FakeService("track-fusion");
      service.clock.stall(startMs);
      startFusion(service);
      service.deliver("SourceTrackTopic", sightings(service, 3));
      await settle(service);
      return service.published("TacticalTrackTopic")[0]?.track_id;
    }),
  );
  expect(new Set(ids).size).toBe(2);
});
