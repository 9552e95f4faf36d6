/** Encodes each span when it ends, and gives the exporter batches of encoded spans. */
import { TraceFlags } from "@opentelemetry/api";
import type { ExportResult } from "@opentelemetry/core";
import type { ReadableSpan, SpanProcessor } from "@opentelemetry/sdk-trace-base";
import type { QueueGate } from "./exporters.ts";
import type { EncodedSpans, SpanEncoder } from "./span-encoder.ts";

export interface SpanBatchesOptions {
  readonly encoder: SpanEncoder;
  readonly exporter: {
    export(batch: EncodedSpans, done: (result: ExportResult) => void): void;
    shutdown(): Promise<void>;
  };
  /** The exporter calls `gate.taken()` after it removes a batch. */
  readonly gate: QueueGate;
  /** A batch is exported when it has this many spans, or after this time. */
  readonly batchItems: number;
  readonly batchDelayMs: number;
}

export class SpanBatches implements SpanProcessor {
  readonly #options: SpanBatchesOptions;
  readonly #waiting: EncodedSpans[] = [];
  #timer: ReturnType<typeof setTimeout> | undefined;
  /** The export of the waiting batches, one after the other. */
  #sending: Promise<void> | undefined;

  constructor(options: SpanBatchesOptions) {
    this.#options = options;
  }

  onStart(): void {
    // A span is exported when it ends.
  }

  onEnd(span: ReadableSpan): void {
    const { encoder, gate, batchItems, batchDelayMs } = this.#options;
    if ((span.spanContext().traceFlags & TraceFlags.SAMPLED) === 0 || !gate.admit()) return;
    encoder.add(span);
    if (encoder.count >= batchItems) {
      void this.forceFlush();
    } else {
      this.#timer ??= setTimeout(() => void this.forceFlush(), batchDelayMs).unref();
    }
  }

  forceFlush(): Promise<void> {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    const { encoder } = this.#options;
    if (encoder.count > 0) this.#waiting.push(encoder.take());
    if (this.#waiting.length > 0) this.#sending ??= this.#send();
    return this.#sending ?? Promise.resolve();
  }

  async shutdown(): Promise<void> {
    await this.forceFlush();
    await this.#options.exporter.shutdown();
  }

  async #send(): Promise<void> {
    for (let batch = this.#waiting.shift(); batch !== undefined; batch = this.#waiting.shift()) {
      const next = batch;
      await new Promise<ExportResult>((done) => this.#options.exporter.export(next, done));
    }
    this.#sending = undefined;
  }
}
