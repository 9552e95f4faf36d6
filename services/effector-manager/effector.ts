/** Runs the engagements that orders start. */
import { context, type Span, trace } from "@opentelemetry/api";
import { createPrng, type Prng } from "../../lib/base/prng.ts";
import type { Publisher } from "../../lib/service/bus.ts";
import type { EngagementStatus, MissionOrder } from "../../lib/cms/messages.ts";
import type { Service } from "../../lib/service/run-service.ts";
import { tracedPublish } from "../../lib/service/publish.ts";
import { contextOf } from "../../lib/service/trace-context.ts";
import { recordError } from "../../lib/telemetry/spans.ts";
import { ORDER_TTL_MS, type Outcome, planCourse } from "./engagement.ts";

type Status = EngagementStatus["status"];

/** Ended engagements that the display can still receive; older ones are disposed. */
const ENDED_KEPT = 64;

export function startEffector(service: Service): void {
  const { meters, logger } = service.telemetry;
  const effector = new Effector(service);
  // A disposed order has left the history. Its engagement still runs to its end, so there is
  // nothing to do.
  service.bus.visit("MissionOrderTopic", {
    message: (order, arrival) => {
      const { action } = order;
      const ageMs = service.clock.nowMs() - order.issued_unix_ms;
      // A late joiner receives the history first, and ignores old orders.
      if (ageMs > ORDER_TTL_MS) {
        meters.counter("cms_orders_expired_total", { action }).add(1);
        logger.log("mission_order_expired", {
          order_id: order.order_id,
          action,
          target_track_id: order.target_track_id,
          age_seconds: Math.round(ageMs / 1000),
        });
        return;
      }
      meters.counter("cms_orders_received_total", { action }).add(1);
      if (action === "ENGAGE") effector.engage(arrival.copy());
    },
  });
  service.onStop(() => effector.stop());
}

class Effector {
  readonly #service: Service;
  readonly #publisher: Publisher<"EngagementStatusTopic">;
  readonly #publish;
  readonly #prng: Prng;
  readonly #running = new Map<string, Span>();
  readonly #ended: string[] = [];

  constructor(service: Service) {
    this.#service = service;
    const topic = "EngagementStatusTopic";
    this.#publisher = service.bus.publisher(topic);
    this.#publish = tracedPublish(service.telemetry, topic, this.#publisher);
    this.#prng = createPrng(service.clock.nowMs()).child("effector");
  }

  /**
   * Starts the engagement of `order`. An order that is running or has ended is ignored: DDS
   * delivers the history again after a participant was recreated.
   */
  engage(order: MissionOrder): void {
    if (this.#running.has(order.order_id) || this.#ended.includes(order.order_id)) return;
    const span = this.#service.telemetry.startSpan(
      "effector.engage",
      "effector.engage",
      contextOf(order.trace),
      { "order.id": order.order_id, "order.action": order.action },
    );
    const { clock } = this.#service;
    const startedMs = clock.monotonicMs();
    const { launchMs, endMs, outcome } = planCourse(this.#prng);
    this.#running.set(order.order_id, span);
    this.#report(order, span, "ACCEPTED", order.reason);
    this.#service.after(launchMs, () => this.#report(order, span, "IN_FLIGHT", "launched"));
    this.#service.after(endMs, () => {
      this.#resolve(order, span, outcome, (clock.monotonicMs() - startedMs) / 1000);
    });
  }

  /** Ends running engagements without an outcome. */
  stop(): void {
    for (const span of this.#running.values()) span.end();
  }

  #resolve(order: MissionOrder, span: Span, outcome: Outcome, seconds: number): void {
    const { meters, logger } = this.#service.telemetry;
    this.#report(order, span, outcome, outcome === "HIT" ? "target hit" : "target missed");
    meters.counter("cms_engagement_outcomes_total", { outcome }).add(1);
    meters.histogram("cms_engagement_duration_seconds").record(seconds);
    inside(order, span, () => {
      logger.log("engagement_resolved", {
        order_id: order.order_id,
        outcome,
        target_track_id: order.target_track_id,
        duration_seconds: Math.round(seconds * 1000) / 1000,
      });
    });
    span.end();
    this.#running.delete(order.order_id);
    this.#ended.push(order.order_id);
    const surplus = Math.max(0, this.#ended.length - ENDED_KEPT);
    for (const old of this.#ended.splice(0, surplus)) this.#publisher.retire({ order_id: old });
  }

  #report(order: MissionOrder, span: Span, status: Status, detail: string): void {
    const { meters, logger } = this.#service.telemetry;
    inside(order, span, () => {
      meters.counter("cms_engagement_transitions_total", { status }).add(1);
      span.setAttribute("engagement.status", status);
      logger.log("engagement_status_changed", {
        order_id: order.order_id,
        status,
        target_track_id: order.target_track_id,
      });
      const { order_id, target_track_id } = order;
      const changed_unix_ms = this.#service.clock.nowMs();
      const change = { order_id, target_track_id, status, detail, changed_unix_ms };
      this.#publish(change, span, contextOf(order.trace));
    });
  }
}

/**
 * Runs `body` with the engagement's span as the active one, so that log lines have its trace id. An
 * exception ends the span.
 */
function inside(order: MissionOrder, span: Span, body: () => void): void {
  try {
    context.with(trace.setSpan(contextOf(order.trace), span), body);
  } catch (error) {
    recordError(span, error);
    span.end();
    throw error;
  }
}
