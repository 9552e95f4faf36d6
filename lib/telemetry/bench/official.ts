/**
 * The counterpart of `span-processor.ts` with OpenTelemetry's own processor and exporter, at the
 * same batch size.
 */
import { OTLPTraceExporter } from "@opentelemetry/exporter-trace-otlp-grpc";
import type { Resource } from "@opentelemetry/resources";
import {
  BatchSpanProcessor,
  type ReadableSpan,
  type SpanProcessor,
} from "@opentelemetry/sdk-trace-base";
import { type ExportObserver, QueueGate, watched } from "../exporters.ts";
import type { OtlpSettings } from "../otlp-settings.ts";
import { BATCH_DELAY_MS, BATCH_SPANS, exporterOptions, KEPT_ITEMS, QUEUE_ITEMS } from "../otlp.ts";

/** Takes what `span-processor.ts` takes; the spans bring their resource and scope with them. */
export function spanProcessor(
  settings: OtlpSettings,
  observer: ExportObserver,
  _resource: Resource,
  _scope: string,
): SpanProcessor {
  const gate = new QueueGate(QUEUE_ITEMS, () => observer.dropped("traces", 1));
  const exporter = watched({
    signal: "traces",
    make: (connection) => new OTLPTraceExporter(exporterOptions(settings, connection)),
    sizeOf: (spans: ReadableSpan[]) => spans.length,
    observer,
    maxKept: KEPT_ITEMS,
    onTaken: (spans) => gate.taken(spans),
  });
  const batches = new BatchSpanProcessor(exporter, {
    maxExportBatchSize: BATCH_SPANS,
    maxQueueSize: QUEUE_ITEMS,
    scheduledDelayMillis: BATCH_DELAY_MS,
    exportTimeoutMillis: settings.timeoutMs,
  });
  return {
    onStart: () => {},
    onEnd: (span) => {
      if (gate.admit()) batches.onEnd(span);
    },
    forceFlush: () => batches.forceFlush(),
    shutdown: () => batches.shutdown(),
  };
}
