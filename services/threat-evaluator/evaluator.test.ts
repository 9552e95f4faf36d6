import { beforeEach, expect, test } from "bun:test";
import { FakeService } from "../../lib/service/testing/fake-service.ts";
import { sampleOf } from "../../lib/service/testing/messages.ts";
import { startEvaluator } from "./evaluator.ts";

let service: FakeService;
beforeEach(() => {
  service = new FakeService("threat-evaluator");
  startEvaluator(service);
});

const hear = (...tracks: readonly Parameters<typeof sampleOf<"TacticalTrackTopic">>[1][]): void =>
  service.deliver(
    "TacticalTrackTopic",
    tracks.map((fields) => sampleOf("TacticalTrackTopic", fields)),
  );

test("assesses every track of a batch, in a span that carries the level", () => {
  hear({ track_id: "A" }, { track_id: "B", classification: "AIRCRAFT" });
  const [first, second] = service.published("ThreatAssessmentTopic");
  expect(first).toMatchObject({ track_id: "A", level: "CRITICAL", priority: 1 });
  expect(second).toMatchObject({ track_id: "B", level: "MEDIUM" });
  expect(first?.trace.traceparent).toMatch(/^00-[0-9a-f]{32}-[0-9a-f]{16}-01$/);
  expect(service.spans.map(({ name, attributes }) => [name, attributes["threat.level"]])).toEqual([
    ["threat.evaluate", "CRITICAL"],
    ["threat.evaluate", "MEDIUM"],
  ]);
});

test("logs and counts a level only when it changes", async () => {
  hear({});
  hear({});
  hear({ classification: "UNKNOWN", velocity: { x: 0, y: 0, z: 0 } });
  expect(service.logged("threat_level_changed")).toMatchObject([
    { track_id: "T-1", from_level: "NONE", to_level: "CRITICAL" },
    { track_id: "T-1", from_level: "CRITICAL", to_level: "LOW" },
  ]);
  expect(await service.metric('cms_threat_evaluated_total{level="CRITICAL"}')).toBe(2);
  const transitions = 'cms_threat_level_transitions_total{from_level="NONE",to_level="CRITICAL"}';
  expect(await service.metric(transitions)).toBe(1);
});

test("rejects a track with a position or velocity that is not finite", () => {
  hear({ position: { x: Number.NaN, y: 0, z: 0 } });
  hear({ velocity: { x: 0, y: Number.POSITIVE_INFINITY, z: 0 } });
  expect(service.published("ThreatAssessmentTopic")).toEqual([]);
  expect(service.rejected.map(({ topic }) => topic)).toEqual([
    "TacticalTrackTopic",
    "TacticalTrackTopic",
  ]);
});

test("ends the instance of a track that was not heard of for a minute, and of no other", () => {
  hear({ track_id: "gone" });
  service.clock.advance(40_000);
  hear({ track_id: "stays" });
  service.clock.advance(30_000);
  expect(service.retired("ThreatAssessmentTopic")).toEqual([{ track_id: "gone" }]);
  hear({ track_id: "gone" });
  expect(service.logged("threat_level_changed").at(-1)).toMatchObject({ from_level: "NONE" });
});

test("measures from the time at which the track was taken off DDS", async () => {
  hear({});
  expect(await service.metric("cms_threat_processing_seconds_count")).toBe(1);
  expect(await service.metric("cms_threat_processing_seconds_sum")).toBe(0);
});

test("ends its assessment of a track that fusion has ended, and starts anew should it return", () => {
  hear({ track_id: "A" });
  service.dispose("TacticalTrackTopic", { track_id: "A" });
  service.dispose("TacticalTrackTopic", { track_id: "never heard of" });
  expect(service.retired("ThreatAssessmentTopic")).toEqual([{ track_id: "A" }]);
  hear({ track_id: "A" });
  expect(service.logged("threat_level_changed").map((line) => line["from_level"])).toEqual([
    "NONE",
    "NONE",
  ]);
});
