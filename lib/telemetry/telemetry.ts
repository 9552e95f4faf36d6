/** All telemetry of a service: metrics, logs and traces. */
import {
  context,
  type Context,
  ROOT_CONTEXT,
  type Span,
  trace,
  TraceFlags,
} from "@opentelemetry/api";
import type { Logger as OtelLogger } from "@opentelemetry/api-logs";
import { AsyncLocalStorageContextManager } from "@opentelemetry/context-async-hooks";
import { defaultResource, type Resource, resourceFromAttributes } from "@opentelemetry/resources";
import { LoggerProvider } from "@opentelemetry/sdk-logs";
import { MeterProvider } from "@opentelemetry/sdk-metrics";
import { BasicTracerProvider } from "@opentelemetry/sdk-trace-base";
import { ATTR_SERVICE_INSTANCE_ID, ATTR_SERVICE_NAME } from "@opentelemetry/semantic-conventions";
import { type Clock, systemClock } from "../base/clock.ts";
import { type Env, oneOf, readEnv } from "../base/env.ts";
import { type LogEvent, METRICS, type MetricSpec, type SpanName } from "../contract/telemetry.ts";
import type { ServiceName } from "../contract/topology.ts";
import type { ExportObserver, SignalName } from "./exporters.ts";
import { createLogger, type Fields, type Logger } from "./logger.ts";
import { closedLabelSets, Meters } from "./meters.ts";
import { logProcessor, metricReader, spanProcessor } from "./otlp.ts";
import { otlpSettings, pairsFrom } from "./otlp-settings.ts";
import { checkSpan, guard, hopOf, kindOf, recordError } from "./spans.ts";

/** Maximum time of a shutdown for the last exports, milliseconds. */
const SHUTDOWN_MS = 2000;
/** Instrumentation scope of all telemetry. */
const SCOPE = "cms";

export type SpanAttributes = Readonly<Record<string, string | number | readonly string[]>>;

export interface Telemetry {
  readonly meters: Meters;
  readonly logger: Logger;
  /**
   * Runs `body` inside a new span that continues `parent`, and records its exception. `name` must
   * match the declared one, such as `sensor.scan.RADAR-1` for `sensor.scan.<sensor_id>`.
   */
  inSpan<T>(
    declared: SpanName,
    name: string,
    parent: Context,
    attributes: SpanAttributes,
    body: (span: Span) => T,
  ): T;
  /** Starts a span that the caller ends. */
  startSpan(declared: SpanName, name: string, parent: Context, attributes: SpanAttributes): Span;
  /** All metrics in Prometheus' text format. */
  scrape(): Promise<string>;
  /** Sends the remaining telemetry within two seconds, and stops. */
  shutdown(): Promise<void>;
}

export interface TelemetryOptions {
  readonly service: ServiceName;
  readonly env: Env;
  readonly clock?: Clock;
  readonly write?: (line: string) => void;
  /** Share of the log records that is exported; standard output gets all of them. */
  readonly logShare?: number;
}

/** Creates a service's telemetry; throws UsageError for an invalid OTEL_* variable. */
export function createTelemetry(options: TelemetryOptions): Telemetry {
  const { service, env, clock = systemClock, write, logShare = 1 } = options;
  const [traces, logs, metrics] = [
    otlpSettings(env, "traces"),
    otlpSettings(env, "logs"),
    otlpSettings(env, "metrics"),
  ];
  const isOff = readEnv(env, "OTEL_SDK_DISABLED", "false", oneOf(["true", "false"])) === "true";
  const observer = new Observer();
  const resource = resourceOf(service, env);
  context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable());
  const tracing = new BasicTracerProvider({
    resource,
    spanProcessors: isOff ? [] : [spanProcessor(traces, observer)],
  });
  const logging = new LoggerProvider({
    resource,
    processors: isOff ? [] : [logProcessor(logs, observer)],
  });
  const metering = new MeterProvider({
    resource,
    readers: isOff ? [] : [metricReader(metrics, observer)],
  });
  const meters = new Meters(service, metering.getMeter(SCOPE));
  const logger = createLogger({
    service,
    otel: sampled(logging.getLogger(SCOPE), logShare),
    clock,
    ...(write === undefined ? {} : { write }),
    count: (level) => meters.counter("cms_log_records_total", { level }).add(1),
  });
  observer.connect(meters, logger);
  startDeclared(meters, service);
  const tracer = tracing.getTracer(SCOPE);
  // The tracer provider reads OTEL_TRACES_SAMPLER and OTEL_TRACES_SAMPLER_ARG itself.
  const isParentBased = /^(parentbased_|$)/.test(env["OTEL_TRACES_SAMPLER"] ?? "");
  const startSpan: Telemetry["startSpan"] = (declared, name, parent, attributes) => {
    const above = isParentBased ? trace.getSpanContext(parent) : undefined;
    // Nothing below an unsampled span is recorded, so no span is created and children continue the
    // one above.
    if (above !== undefined && (above.traceFlags & TraceFlags.SAMPLED) === 0) {
      return trace.wrapSpanContext(above);
    }
    checkSpan(declared, name, service, attributes as never);
    const all = { ...hopOf(declared, name), ...attributes } as never;
    const options = { kind: kindOf(declared), attributes: all };
    return guard(declared, tracer.startSpan(name, options, parent));
  };
  return {
    meters,
    logger,
    startSpan,
    inSpan: (declared, name, parent, attributes, body) => {
      const span = startSpan(declared, name, parent, attributes);
      // Log lines do not name traces that are not stored.
      if (!span.isRecording()) return body(span);
      try {
        return context.with(trace.setSpan(parent, span), () => body(span));
      } catch (error) {
        recordError(span, error);
        throw error;
      } finally {
        span.end();
      }
    },
    scrape: () => meters.registry.metrics(),
    shutdown: async () => {
      await Promise.race([
        Promise.allSettled([tracing.shutdown(), logging.shutdown(), metering.shutdown()]),
        clock.sleep(SHUTDOWN_MS),
      ]);
    },
  };
}

/** Passes on this share of the records, evenly spread. */
function sampled(logger: OtelLogger, share: number): OtelLogger {
  if (share === 1) return logger;
  let due = 0;
  return {
    enabled: (options) => logger.enabled(options),
    emit: (record) => {
      due += share;
      if (due < 1) return;
      due -= 1;
      logger.emit(record);
    },
  };
}

/**
 * Resource attributes of all telemetry: the SDK (`telemetry.sdk.*`), the service, and
 * OTEL_RESOURCE_ATTRIBUTES and OTEL_SERVICE_NAME, which have precedence.
 */
function resourceOf(service: ServiceName, env: Env): Resource {
  const name = env["OTEL_SERVICE_NAME"] ?? "";
  return defaultResource().merge(
    resourceFromAttributes({
      [ATTR_SERVICE_NAME]: service,
      [ATTR_SERVICE_INSTANCE_ID]: `${service}-${process.pid}`,
      ...Object.fromEntries(pairsFrom(env, "OTEL_RESOURCE_ATTRIBUTES")),
      ...(name === "" ? {} : { [ATTR_SERVICE_NAME]: name }),
    }),
  );
}

/**
 * Counts and logs losses of the exporters. It is connected later, because the exporters are created
 * before the meters.
 */
class Observer implements ExportObserver {
  #meters: Meters | undefined;
  #logger: Logger | undefined;

  connect(meters: Meters, logger: Logger): void {
    this.#meters = meters;
    this.#logger = logger;
  }

  failing(signal: SignalName, reason: string, droppedTotal: number): void {
    this.#say("telemetry_export_failing", { signal, reason, dropped_total: droppedTotal });
  }

  dropped(signal: SignalName, items: number): void {
    this.#meters?.counter("cms_telemetry_dropped_total", { signal }).add(items);
  }

  resumed(signal: SignalName, droppedTotal: number): void {
    this.#say("telemetry_export_resumed", { signal, dropped_total: droppedTotal });
  }

  /** Logs outside of any span: an export runs in the context of the span that filled the batch. */
  #say<E extends LogEvent>(event: E, fields: Fields<E>): void {
    context.with(ROOT_CONTEXT, () => this.#logger?.log(event, fields));
  }
}

/**
 * Creates the series with closed label sets at start with value 0, in both copies of each metric.
 */
function startDeclared(meters: Meters, service: ServiceName): void {
  for (const [name, spec] of Object.entries<MetricSpec>(METRICS)) {
    if (!spec.services.includes(service)) continue;
    for (const labels of closedLabelSets(spec, service)) {
      if (spec.type === "counter") meters.counter(name as never, labels).add(0);
      else if (spec.type === "histogram") meters.histogram(name as never, labels);
      else meters.gauge(name as never, labels);
    }
  }
}
