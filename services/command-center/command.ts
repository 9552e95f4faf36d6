/** Issues mission orders against threats. */
import type { ThreatAssessment } from "../../lib/cms/messages.ts";
import type { Arrival } from "../../lib/service/arrival.ts";
import type { Service } from "../../lib/service/run-service.ts";
import { tracedPublish } from "../../lib/service/publish.ts";
import { Policy } from "./policy.ts";

/**
 * Minimum number of orders for late joiners; older ones are disposed, so that the history stays
 * bounded.
 */
const MIN_ORDERS_KEPT = 64;
const HOUSEKEEPING_MS = 10_000;

export function startCommand(service: Service): void {
  const { telemetry, bus, clock } = service;
  const { meters, logger } = telemetry;
  const publisher = bus.publisher("MissionOrderTopic");
  const publish = tracedPublish(telemetry, "MissionOrderTopic", publisher);
  const seconds = meters.histogram("cms_command_processing_seconds");
  const policy = new Policy(service.settings.engage);
  // The start time makes order ids of two runs differ.
  const series = clock.nowMs().toString(36);
  const kept: string[] = [];
  const ordersKept = Math.max(MIN_ORDERS_KEPT, service.settings.targets);
  let issued = 0;

  const decide = (
    message: ThreatAssessment,
    { parent, takenMs }: Arrival<"ThreatAssessmentTopic">,
  ): void => {
    const decision = policy.decide(message, clock.nowMs());
    if (decision !== undefined) {
      const order_id = `ORD-${series}-${String(++issued).padStart(5, "0")}`;
      const { action, reason } = decision;
      const attributes = {
        "order.id": order_id,
        "order.action": action,
        tactical_track_id: message.track_id,
      };
      telemetry.inSpan("command.issue_order", "command.issue_order", parent, attributes, (span) => {
        logger.log("mission_order_issued", {
          order_id,
          action,
          target_track_id: message.track_id,
          threat_level: message.level,
        });
        const order = {
          order_id,
          action,
          target_track_id: message.track_id,
          threat_level: message.level,
          reason,
          issued_unix_ms: clock.nowMs(),
        };
        publish(order, span, parent);
      });
      meters.counter("cms_orders_issued_total", { action }).add(1);
      kept.push(order_id);
      for (const old of kept.splice(0, Math.max(0, kept.length - ordersKept))) {
        publisher.retire({ order_id: old });
      }
    }
    seconds.record((clock.monotonicMs() - takenMs) / 1000);
  };

  bus.visit("ThreatAssessmentTopic", {
    message: decide,
    disposed: ({ track_id: trackId }) => policy.drop(trackId),
  });
  service.every(HOUSEKEEPING_MS, () => policy.forget(clock.nowMs()));
}
