import { beforeEach, expect, test } from "bun:test";
import { TOPICS, TOPOLOGY } from "../../lib/contract/topology.ts";
import { FakeService } from "../../lib/service/testing/fake-service.ts";
import { sampleOf } from "../../lib/service/testing/messages.ts";
import { startDisplay } from "./display.ts";
import type { Picture } from "./picture.ts";

const PORT = TOPOLOGY["tactical-display"].httpPort ?? 0;

let service: FakeService;
beforeEach(() => {
  service = new FakeService("tactical-display");
  startDisplay(service);
});

const picture = async (): Promise<Picture> =>
  (await (await service.request(PORT, "/api/picture")).json()) as Picture;

test("logs the port that it serves on", () => {
  expect(service.logged("http_starting")).toMatchObject([{ port: PORT }]);
});

test("shows the track with the threat, order and engagement that belong to it", async () => {
  for (const topic of TOPICS) service.deliver(topic, [sampleOf(topic)]);
  expect(await picture()).toMatchObject({
    track_count: 1,
    tracks: [
      {
        track_id: "T-1",
        threat: { level: "HIGH" },
        order: { order_id: "ORD-1" },
        engagement: { status: "ACCEPTED" },
      },
    ],
  });
});

test("counts, measures and traces the messages of every topic", async () => {
  for (const topic of TOPICS) {
    service.deliver(topic, [sampleOf(topic), sampleOf(topic)]);
    expect(await service.metric(`cms_display_received_total{topic="${topic}"}`)).toBe(2);
    expect(await service.metric(`cms_display_handler_seconds_count{topic="${topic}"}`)).toBe(2);
  }
  expect(service.spans.map(({ name }) => name)).toEqual(
    TOPICS.flatMap((topic) => [`display.ingest.${topic}`, `display.ingest.${topic}`]),
  );
});

test("measures how old a track is when it arrives, and takes a clock that is ahead for no age", async () => {
  const nowMs = service.clock.nowMs();
  for (const updated_unix_ms of [nowMs - 700, nowMs + 300]) {
    service.deliver("TacticalTrackTopic", [sampleOf("TacticalTrackTopic", { updated_unix_ms })]);
  }
  expect(await service.metric("cms_display_track_age_seconds_sum")).toBeCloseTo(0.7);
  expect(await service.metric("cms_display_track_age_seconds_count")).toBe(2);
});

test("takes a track that nothing updates out of the picture and of the gauge", async () => {
  service.deliver("TacticalTrackTopic", [sampleOf("TacticalTrackTopic")]);
  expect(await service.metric("cms_display_active_tracks")).toBe(1);
  service.clock.advance(12_000);
  expect(await service.metric("cms_display_active_tracks")).toBe(0);
  expect((await picture()).track_count).toBe(0);
});

test("takes what is over out of the picture and of the gauge", async () => {
  for (const topic of TOPICS) service.deliver(topic, [sampleOf(topic)]);
  service.dispose("ThreatAssessmentTopic", { track_id: "T-1" });
  expect((await picture()).tracks[0]).toMatchObject({ track_id: "T-1", threat: null });
  service.dispose("TacticalTrackTopic", { track_id: "T-1" });
  expect((await picture()).track_count).toBe(0);
  expect(await service.metric("cms_display_active_tracks")).toBe(0);
  service.dispose("MissionOrderTopic", { order_id: "ORD-1" });
  service.dispose("EngagementStatusTopic", { order_id: "ORD-1" });
});
