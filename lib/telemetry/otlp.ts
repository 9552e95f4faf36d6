/** What sends a service's spans, log records and metrics over OTLP gRPC, in bounded memory and without waiting for anyone. */
import { OTLPLogExporter } from "@opentelemetry/exporter-logs-otlp-grpc";
import { OTLPMetricExporter } from "@opentelemetry/exporter-metrics-otlp-grpc";
import type { Resource } from "@opentelemetry/resources";
import {
  BatchLogRecordProcessor,
  type LogRecordProcessor,
  type ReadableLogRecord,
  type SdkLogRecord,
} from "@opentelemetry/sdk-logs";
import { PeriodicExportingMetricReader, type ResourceMetrics } from "@opentelemetry/sdk-metrics";
import type { SpanProcessor } from "@opentelemetry/sdk-trace-base";
import { type ExportObserver, QueueGate, watched } from "./exporters.ts";
import { SpanBatches } from "./span-batches.ts";
import { type EncodedSpans, SpanEncoder } from "./span-encoder.ts";
import { EncodedSpanExporter } from "./span-exporter.ts";

/** A batch of log records is sent when it has this many, or after this time. */
const BATCH_ITEMS = 128;
const BATCH_DELAY_MS = 1000;
/** Spans are in their binary form already: what a batch of them costs is the request, whatever it holds. */
const BATCH_SPANS = 1024;
/** More than 29 batches at once are lost at shutdown; what does not fit while nobody listens is dropped. */
const QUEUE_ITEMS = 28 * BATCH_ITEMS;
/** Spans, and log records, that wait for the end of an outage: five minutes of a sensor's, a minute of fusion's. */
const KEPT_ITEMS = 3072;
const METRIC_INTERVAL_MS = 5000;
/** The longest that one export may take, and that a shutdown waits for the last ones, milliseconds. */
export const EXPORT_TIMEOUT_MS = 2000;

const BATCHING = {
  maxExportBatchSize: BATCH_ITEMS,
  maxQueueSize: QUEUE_ITEMS,
  scheduledDelayMillis: BATCH_DELAY_MS,
  exportTimeoutMillis: EXPORT_TIMEOUT_MS,
} as const;

/** gRPC shares a connection between all clients of one address whose options are equal; the agent's name is one of them. */
const exporterOptions = (url: string, connection: number) => ({
  url,
  timeoutMillis: EXPORT_TIMEOUT_MS,
  ...(connection === 1 ? {} : { userAgent: `connection-${connection}` }),
});

/** Sends the spans of `resource`'s only tracer, called `scope`, to the OTLP endpoint `url`. */
export function spanProcessor(
  url: string,
  observer: ExportObserver,
  resource: Resource,
  scope: string,
): SpanProcessor {
  const gate = new QueueGate(QUEUE_ITEMS, () => observer.dropped("traces", 1));
  const exporter = watched({
    signal: "traces",
    make: (connection) => new EncodedSpanExporter(exporterOptions(url, connection)),
    sizeOf: ({ count }: EncodedSpans) => count,
    observer,
    mostKept: KEPT_ITEMS,
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

/** Sends log records to the OTLP endpoint `url`. */
export function logProcessor(url: string, observer: ExportObserver): LogRecordProcessor {
  const gate = new QueueGate(QUEUE_ITEMS, () => observer.dropped("logs", 1));
  const exporter = watched({
    signal: "logs",
    make: (connection) => new OTLPLogExporter(exporterOptions(url, connection)),
    sizeOf: (records: ReadableLogRecord[]) => records.length,
    observer,
    mostKept: KEPT_ITEMS,
    onTaken: (records) => gate.taken(records),
  });
  const batches = new BatchLogRecordProcessor({ exporter, ...BATCHING });
  return {
    onEmit: (record: SdkLogRecord) => {
      if (gate.admit()) batches.onEmit(record);
    },
    forceFlush: () => batches.forceFlush(),
    shutdown: () => batches.shutdown(),
  };
}

/** Sends all metrics to the OTLP endpoint `url` at regular times. */
export function metricReader(url: string, observer: ExportObserver): PeriodicExportingMetricReader {
  const sizeOf = (batch: ResourceMetrics): number =>
    batch.scopeMetrics.reduce((sum, { metrics }) => sum + metrics.length, 0);
  return new PeriodicExportingMetricReader({
    exporter: watched({
      signal: "metrics",
      make: (connection) => new OTLPMetricExporter(exporterOptions(url, connection)),
      sizeOf,
      observer,
      // They are cumulative: the next batch says all of it again, and an old one would go back in time.
      mostKept: 0,
    }),
    exportIntervalMillis: METRIC_INTERVAL_MS,
    exportTimeoutMillis: EXPORT_TIMEOUT_MS,
  });
}
