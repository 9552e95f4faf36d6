/**
 * Sends a service's spans, log records and metrics over OTLP gRPC with bounded memory; callers
 * never wait for an export.
 */
import { TraceFlags } from "@opentelemetry/api";
import { OTLPLogExporter } from "@opentelemetry/exporter-logs-otlp-grpc";
import { OTLPMetricExporter } from "@opentelemetry/exporter-metrics-otlp-grpc";
import { OTLPTraceExporter } from "@opentelemetry/exporter-trace-otlp-grpc";
import {
  BatchLogRecordProcessor,
  type LogRecordProcessor,
  type ReadableLogRecord,
  type SdkLogRecord,
} from "@opentelemetry/sdk-logs";
import { PeriodicExportingMetricReader, type ResourceMetrics } from "@opentelemetry/sdk-metrics";
import {
  BatchSpanProcessor,
  type ReadableSpan,
  type SpanProcessor,
} from "@opentelemetry/sdk-trace-base";
import { type ExportObserver, QueueGate, watched } from "./exporters.ts";
import type { OtlpSettings } from "./otlp-settings.ts";

/** A batch of log records is sent at this size, or after this time. */
const BATCH_ITEMS = 128;
const BATCH_DELAY_MS = 1000;
/** A second of fusion's spans at the highest load; encoding them takes 2 to 3 ms. */
export const BATCH_SPANS = 1024;
/** The SDK loses more than 29 waiting batches at shutdown; further items are dropped. */
export const QUEUE_ITEMS = 28 * BATCH_ITEMS;
/**
 * Spans, and log records, that wait during an outage: five minutes of a sensor's, a minute of
 * fusion's.
 */
const KEPT_ITEMS = 3072;
const METRIC_INTERVAL_MS = 5000;

/**
 * Options of the `connection`th connection. gRPC shares a connection between clients of one address
 * with equal options; the user agent's name makes them differ.
 */
const exporterOptions = (settings: OtlpSettings, connection: number) => ({
  url: settings.url,
  timeoutMillis: settings.timeoutMs,
  compression: settings.compression,
  metadata: settings.metadata,
  credentials: settings.credentials,
  ...(connection === 1 ? {} : { userAgent: `connection-${connection}` }),
});

/** Sends spans. */
export function spanProcessor(settings: OtlpSettings, observer: ExportObserver): SpanProcessor {
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
    ...batching(settings),
    maxExportBatchSize: BATCH_SPANS,
  });
  return {
    onStart: () => {},
    onEnd: (span) => {
      // The SDK's processor ignores spans that are not sampled, so they must not count at the gate.
      const isSampled = (span.spanContext().traceFlags & TraceFlags.SAMPLED) !== 0;
      if (isSampled && gate.admit()) batches.onEnd(span);
    },
    forceFlush: () => batches.forceFlush(),
    shutdown: () => batches.shutdown(),
  };
}

const batching = (settings: OtlpSettings) => ({
  maxQueueSize: QUEUE_ITEMS,
  scheduledDelayMillis: BATCH_DELAY_MS,
  exportTimeoutMillis: settings.timeoutMs,
});

/** Sends log records. */
export function logProcessor(settings: OtlpSettings, observer: ExportObserver): LogRecordProcessor {
  const gate = new QueueGate(QUEUE_ITEMS, () => observer.dropped("logs", 1));
  const exporter = watched({
    signal: "logs",
    make: (connection) => new OTLPLogExporter(exporterOptions(settings, connection)),
    sizeOf: (records: ReadableLogRecord[]) => records.length,
    observer,
    maxKept: KEPT_ITEMS,
    onTaken: (records) => gate.taken(records),
  });
  const batches = new BatchLogRecordProcessor({
    exporter,
    ...batching(settings),
    maxExportBatchSize: BATCH_ITEMS,
  });
  return {
    onEmit: (record: SdkLogRecord) => {
      if (gate.admit()) batches.onEmit(record);
    },
    forceFlush: () => batches.forceFlush(),
    shutdown: () => batches.shutdown(),
  };
}

/** Sends all metrics at a fixed interval. */
export function metricReader(
  settings: OtlpSettings,
  observer: ExportObserver,
): PeriodicExportingMetricReader {
  const sizeOf = (batch: ResourceMetrics): number =>
    batch.scopeMetrics.reduce((sum, { metrics }) => sum + metrics.length, 0);
  return new PeriodicExportingMetricReader({
    exporter: watched({
      signal: "metrics",
      make: (connection) => new OTLPMetricExporter(exporterOptions(settings, connection)),
      sizeOf,
      observer,
      // Metrics are cumulative: the next batch repeats everything, and an old one would set values
      // back.
      maxKept: 0,
    }),
    exportIntervalMillis: METRIC_INTERVAL_MS,
    // The reader refuses a timeout that is longer than its interval.
    exportTimeoutMillis: Math.min(settings.timeoutMs, METRIC_INTERVAL_MS),
  });
}
