/**
 * The entry point for telemetry of all protocols: decodes it, stores it, and reports what was
 * refused.
 */
import type { Clock } from "../../../lib/base/clock.ts";
import type { Store } from "../store/store.ts";
import type { PartialSuccess } from "./decode.ts";
import { decodeLogs } from "./decode-logs.ts";
import { decodeTraces } from "./decode-traces.ts";
import { type Signal, SIGNALS } from "./descriptor.ts";
import type { PushedMetrics } from "./pushed-metrics.ts";
import { MalformedError, type Message, messageOf } from "./values.ts";

/** Maximum size of a payload after decompression, bytes. */
export const MAX_PAYLOAD_BYTES = 16 * 1024 * 1024;

export class Ingress {
  readonly #store: Store;
  readonly #metrics: PushedMetrics;
  readonly #clock: Clock;

  constructor(store: Store, metrics: PushedMetrics, clock: Clock) {
    this.#store = store;
    this.#metrics = metrics;
    this.#clock = clock;
  }

  /** Accepts a protobuf payload. Throws MalformedError without storing any of it. */
  acceptProtobuf(signal: Signal, bytes: Uint8Array): PartialSuccess {
    let request: Message;
    try {
      request = SIGNALS[signal].request.decode(bytes) as unknown as Message;
    } catch (error) {
      throw new MalformedError(
        `the body is not a protobuf ${signal} request: ${(error as Error).message}`,
      );
    }
    return this.#accept(signal, request);
  }

  /** Accepts an OTLP/JSON payload; see acceptProtobuf. */
  acceptJson(signal: Signal, text: string): PartialSuccess {
    let request: Message;
    try {
      const body: unknown = JSON.parse(text);
      if (body === null) throw new MalformedError("it is null");
      request = messageOf(body, "the body");
    } catch (error) {
      throw new MalformedError(
        `the body is not a JSON ${signal} request: ${(error as Error).message}`,
      );
    }
    return this.#accept(signal, request);
  }

  #accept(signal: Signal, request: Message): PartialSuccess {
    if (signal === "metrics") return this.#metrics.add(request);
    if (signal === "traces") {
      const decoded = decodeTraces(request);
      this.#store.addSpans(decoded.rows);
      return decoded;
    }
    const decoded = decodeLogs(request, BigInt(this.#clock.nowMs()) * 1_000_000n);
    this.#store.addLogs(decoded.rows);
    return decoded;
  }
}

/** The response message; empty when nothing was refused, as the protocol demands. */
export function responseFields(signal: Signal, partial: PartialSuccess): Record<string, unknown> {
  if (partial.rejected === 0) return {};
  const { rejectedField } = SIGNALS[signal];
  return {
    partialSuccess: { [rejectedField]: partial.rejected, errorMessage: partial.reason },
  };
}
