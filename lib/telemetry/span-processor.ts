/**
 * Sends a service's spans over OTLP gRPC, in bounded memory; no caller waits for an export. The
 * SDK's own exporter writes a whole batch at once, between two messages of the data path: `bench/`
 * compares the two.
 */
import type { Resource } from "@opentelemetry/resources";
import type { SpanProcessor } from "@opentelemetry/sdk-trace-base";
import { type ExportObserver, QueueGate, watched } from "./exporters.ts";
import type { OtlpSettings } from "./otlp-settings.ts";
import { BATCH_DELAY_MS, BATCH_SPANS, exporterOptions, KEPT_ITEMS, QUEUE_ITEMS } from "./otlp.ts";
import { SpanBatches } from "./span-batches.ts";
import { type EncodedSpans, SpanEncoder } from "./span-encoder.ts";
import { EncodedSpanExporter } from "./span-exporter.ts";

/** Sends the spans of `resource`'s only tracer, called `scope`. */
export function spanProcessor(
  settings: OtlpSettings,
  observer: ExportObserver,
  resource: Resource,
  scope: string,
): SpanProcessor {
  const gate = new QueueGate(QUEUE_ITEMS, () => observer.dropped("traces", 1));
  const exporter = watched({
    signal: "traces",
    make: (connection) => new EncodedSpanExporter(exporterOptions(settings, connection)),
    sizeOf: ({ count }: EncodedSpans) => count,
    observer,
    maxKept: KEPT_ITEMS,
    onTaken: (spans) => gate.taken(spans),
  });
  return new SpanBatches({
    encoder: new SpanEncoder(resource, scope),
    exporter,
    gate,
    batchItems: BATCH_SPANS,
    batchDelayMs: BATCH_DELAY_MS,
  });
}
