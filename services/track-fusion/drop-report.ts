import type { Service } from "../../lib/service/run-service.ts";

const DROP_LOG_INTERVAL_MS = 10_000;

/** Logs dropped source tracks at most every ten seconds. */
export class DropReport {
  readonly #service: Service;
  #loggedMs = Number.NEGATIVE_INFINITY;

  constructor(service: Service) {
    this.#service = service;
  }

  note(queueDepth: number, droppedTotal: number): void {
    const nowMs = this.#service.clock.monotonicMs();
    if (nowMs - this.#loggedMs < DROP_LOG_INTERVAL_MS) return;
    this.#loggedMs = nowMs;
    this.#service.telemetry.logger.log("fusion_queue_full_dropping", {
      queue_depth: queueDepth,
      dropped_total: droppedTotal,
    });
  }
}
