/**
 * Pairs spans as the Collector's servicegraph connector does: a producer's span waits under its own
 * id, a consumer's under its parent's, and the first pair of a key makes an edge. A second consumer
 * of the same span finds no partner, so which consumer is seen depends on the order of arrival.
 */
import type { SpanRecord } from "./telemetry-reader.ts";

export class ServiceGraph {
  readonly #waiting = new Map<string, { producer?: string; consumer?: string }>();
  readonly #edges = new Set<string>();

  /** Adds spans in order of arrival. */
  add(spans: Iterable<SpanRecord>): void {
    for (const { kind, traceId, spanId, parentSpanId, service } of spans) {
      const isProducer = kind === "SPAN_KIND_PRODUCER";
      if (!isProducer && kind !== "SPAN_KIND_CONSUMER") continue;
      const key = `${traceId} ${isProducer ? spanId : parentSpanId}`;
      const pair = { ...this.#waiting.get(key), [isProducer ? "producer" : "consumer"]: service };
      if (pair.producer === undefined || pair.consumer === undefined) {
        this.#waiting.set(key, pair);
        continue;
      }
      this.#waiting.delete(key);
      this.#edges.add(edgeOf(pair.producer, pair.consumer));
    }
  }

  /** All edges so far, sorted. */
  get edges(): string[] {
    return [...this.#edges].toSorted();
  }
}

export const edgeOf = (from: string, to: string): string => `${from} -> ${to}`;
