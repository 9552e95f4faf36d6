import { beforeEach, expect, test } from "bun:test";
import { FakeService } from "../../lib/service/testing/fake-service.ts";
import { sampleOf } from "../../lib/service/testing/messages.ts";
import { startCommand } from "./command.ts";
import { REPEAT_MS } from "./policy.ts";

let service: FakeService;
beforeEach(() => {
  service = new FakeService("command-center");
  startCommand(service);
});

const hear = (fields: Parameters<typeof sampleOf<"ThreatAssessmentTopic">>[1]): void =>
  service.deliver("ThreatAssessmentTopic", [sampleOf("ThreatAssessmentTopic", fields)]);

test("orders against a threat once, with what the order is about in log, span and counter", async () => {
  hear({ track_id: "A", level: "HIGH" });
  hear({ track_id: "A", level: "HIGH" });
  const [order, ...others] = service.published("MissionOrderTopic");
  expect(others).toEqual([]);
  expect(order).toMatchObject({
    action: "ENGAGE",
    target_track_id: "A",
    threat_level: "HIGH",
    reason: "new threat HIGH: fast",
    issued_unix_ms: service.clock.nowMs(),
  });
  expect(service.logged("mission_order_issued")).toMatchObject([
    { order_id: order?.order_id, action: "ENGAGE", target_track_id: "A" },
  ]);
  expect(service.spans).toMatchObject([
    { name: "command.issue_order", attributes: { "order.id": order?.order_id } },
  ]);
  expect(await service.metric('cms_orders_issued_total{action="ENGAGE"}')).toBe(1);
  expect(await service.metric('cms_orders_issued_total{action="MONITOR"}')).toBe(0);
  expect(await service.metric("cms_command_processing_seconds_count")).toBe(2);
});

test("repeats the order for a threat that stays", () => {
  hear({});
  service.clock.advance(REPEAT_MS);
  hear({});
  const ids = service.published("MissionOrderTopic").map(({ order_id: id }) => id);
  expect(ids).toHaveLength(2);
  expect(new Set(ids).size).toBe(2);
});

test("keeps 64 orders for late joiners and ends the oldest of more", () => {
  for (let i = 0; i < 70; i++) hear({ track_id: `T-${i}` });
  const ids = service.published("MissionOrderTopic").map(({ order_id: id }) => id);
  expect(service.retired("MissionOrderTopic").map(({ order_id: id }) => id)).toEqual(
    ids.slice(0, 6),
  );
});

test("forgets a threat that is no longer assessed", () => {
  hear({});
  service.clock.advance(71_000);
  hear({});
  expect(service.published("MissionOrderTopic").map(({ reason }) => reason)).toEqual([
    "new threat HIGH: fast",
    "new threat HIGH: fast",
  ]);
});

test("forgets a threat that is over", () => {
  hear({ track_id: "A", level: "HIGH" });
  service.dispose("ThreatAssessmentTopic", { track_id: "A" });
  hear({ track_id: "A", level: "HIGH" });
  expect(service.published("MissionOrderTopic").map(({ reason }) => reason)).toEqual([
    "new threat HIGH: fast",
    "new threat HIGH: fast",
  ]);
});
