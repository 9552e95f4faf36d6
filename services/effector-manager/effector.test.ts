import { beforeEach, expect, test } from "bun:test";
import { FakeService } from "../../lib/service/testing/fake-service.ts";
import { sampleOf } from "../../lib/service/testing/messages.ts";
import { startEffector } from "./effector.ts";
import { ORDER_TTL_MS } from "./engagement.ts";

/** Maximum duration of an engagement: launch and flight, milliseconds. */
const LONGEST_MS = 9000;
const RECEIVED = 'cms_orders_received_total{action="ENGAGE"}';

let service: FakeService;
beforeEach(() => {
  service = new FakeService("effector-manager");
  startEffector(service);
});

const hear = (fields: Parameters<typeof sampleOf<"MissionOrderTopic">>[1] = {}): void =>
  service.deliver("MissionOrderTopic", [
    sampleOf("MissionOrderTopic", { issued_unix_ms: service.clock.nowMs(), ...fields }),
  ]);
const traceIdOf = (traceparent: string): string => traceparent.split("-")[1] ?? "";
const statuses = (): string[] =>
  service.published("EngagementStatusTopic").map(({ status }) => status);

test("an order to engage is accepted at once, launched after a second, and ends in HIT or MISS", async () => {
  hear({ order_id: "O", target_track_id: "T" });
  expect(statuses()).toEqual(["ACCEPTED"]);
  service.clock.advance(999);
  expect(statuses()).toEqual(["ACCEPTED"]);
  service.clock.advance(1);
  expect(statuses()).toEqual(["ACCEPTED", "IN_FLIGHT"]);
  service.clock.advance(LONGEST_MS);
  const outcome = statuses()[2] ?? "";
  expect(["HIT", "MISS"]).toContain(outcome);
  expect(statuses()).toHaveLength(3);

  const [resolved] = service.logged("engagement_resolved");
  expect(resolved).toMatchObject({ order_id: "O", outcome, target_track_id: "T" });
  const seconds = Number(resolved?.["duration_seconds"]);
  expect(seconds).toBeGreaterThanOrEqual(4);
  expect(seconds).toBeLessThanOrEqual(9);
  const measured = await service.metric("cms_engagement_duration_seconds_sum");
  expect(measured).toBeCloseTo(seconds, 3);
  expect(await service.metric(`cms_engagement_outcomes_total{outcome="${outcome}"}`)).toBe(1);
  expect(await service.metric('cms_engagement_transitions_total{status="IN_FLIGHT"}')).toBe(1);
});

test("every line and message of an engagement carries the engagement's one trace", () => {
  hear();
  service.clock.advance(LONGEST_MS);
  expect(service.spans.map(({ name }) => name)).toEqual(["effector.engage"]);
  const published = service.published("EngagementStatusTopic");
  const traces = new Set(published.map(({ trace }) => traceIdOf(trace.traceparent)));
  expect(traces.size).toBe(1);
  const lines = [
    ...service.logged("engagement_status_changed"),
    ...service.logged("engagement_resolved"),
  ];
  expect(lines).toHaveLength(4);
  for (const line of lines) expect(traces).toContain(String(line["trace_id"]));
});

test("dedupe: an order that is delivered again while its engagement runs starts no second one", () => {
  hear();
  service.clock.advance(2000);
  hear({ issued_unix_ms: service.clock.nowMs() - 2000 });
  service.clock.advance(LONGEST_MS);
  expect(statuses()).toHaveLength(3);
});

test("dedupe: an order that is delivered again after its engagement ended starts no second one", () => {
  const issued_unix_ms = service.clock.nowMs();
  hear({ issued_unix_ms });
  service.clock.advance(LONGEST_MS);
  expect(statuses()).toHaveLength(3);
  // Still younger than the age limit for orders from the history.
  hear({ issued_unix_ms });
  service.clock.advance(LONGEST_MS);
  expect(statuses()).toHaveLength(3);
});

test("two orders against one target are two engagements", () => {
  hear({ order_id: "O-1" });
  hear({ order_id: "O-2" });
  service.clock.advance(LONGEST_MS);
  expect(statuses()).toHaveLength(6);
});

test("late joiner: an order out of the history is counted and logged, but not acted upon", async () => {
  const expired = 'cms_orders_expired_total{action="ENGAGE"}';
  expect(await service.metric(expired)).toBe(0);
  hear({ order_id: "O", issued_unix_ms: service.clock.nowMs() - ORDER_TTL_MS - 1 });
  expect(statuses()).toEqual([]);
  expect(await service.metric(expired)).toBe(1);
  expect(service.logged("mission_order_expired")).toMatchObject([
    { order_id: "O", action: "ENGAGE", age_seconds: 10 },
  ]);
  expect(await service.metric(RECEIVED)).toBe(0);
  hear({ issued_unix_ms: service.clock.nowMs() - ORDER_TTL_MS });
  expect(statuses()).toEqual(["ACCEPTED"]);
  expect(await service.metric(RECEIVED)).toBe(1);
  expect(await service.metric(expired)).toBe(1);
});

test("an order to monitor is counted, and starts no engagement", async () => {
  hear({ action: "MONITOR" });
  service.clock.advance(LONGEST_MS);
  expect(statuses()).toEqual([]);
  expect(await service.metric('cms_orders_received_total{action="MONITOR"}')).toBe(1);
});

test("keeps 64 ended engagements and ends the instances of older ones", () => {
  for (let i = 0; i < 66; i++) {
    hear({ order_id: `O-${i}` });
    service.clock.advance(LONGEST_MS);
  }
  const retired = service.retired("EngagementStatusTopic").map(({ order_id: id }) => id);
  expect(retired).toEqual(["O-0", "O-1"]);
});

test("stopping ends what is under way without an outcome", async () => {
  hear();
  await service.stop();
  service.clock.advance(LONGEST_MS);
  expect(statuses()).toEqual(["ACCEPTED"]);
  expect(service.logged("engagement_resolved")).toEqual([]);
});
