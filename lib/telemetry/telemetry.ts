/** Everything that a service tells about itself: metrics, logs and traces. */
import { context, type Context, ROOT_CONTEXT, type Span, trace } from "@opentelemetry/api";
import { AsyncLocalStorageContextManager } from "@opentelemetry/context-async-hooks";
import { resourceFromAttributes } from "@opentelemetry/resources";
import { LoggerProvider } from "@opentelemetry/sdk-logs";
import { MeterProvider } from "@opentelemetry/sdk-metrics";
import { BasicTracerProvider } from "@opentelemetry/sdk-trace-base";
import { ATTR_SERVICE_INSTANCE_ID, ATTR_SERVICE_NAME } from "@opentelemetry/semantic-conventions";
import { type Clock, systemClock } from "../base/clock.ts";
import { type Env, httpUrl, oneOf, readEnv } from "../base/env.ts";
import { type LogEvent, METRICS, type MetricSpec, type SpanName } from "../contract/telemetry.ts";
import type { ServiceName } from "../contract/topology.ts";
import type { ExportObserver, SignalName } from "./exporters.ts";
import { createLogger, type Fields, type Logger } from "./logger.ts";
import { closedLabelSets, Meters } from "./meters.ts";
import { EXPORT_TIMEOUT_MS, logProcessor, metricReader, spanProcessor } from "./otlp.ts";
import { checkSpan, guard } from "./spans.ts";

/** Where OTLP goes unless OTEL_EXPORTER_OTLP_ENDPOINT says otherwise: the standard's own default. */
const DEFAULT_ENDPOINT = "http://localhost:4317";
/** The instrumentation scope of everything. */
const SCOPE = "cms";

export type SpanAttributes = Readonly<Record<string, string | number | readonly string[]>>;

export interface Telemetry {
  readonly meters: Meters;
  readonly logger: Logger;
  /**
   * Runs `body` inside a new span that continues `parent`. The span's own name stands for a declared one,
   * such as `sensor.scan.RADAR-1` for `sensor.scan.<sensor_id>`.
   */
  inSpan<T>(
    declared: SpanName,
    name: string,
    parent: Context,
    attributes: SpanAttributes,
    body: (span: Span) => T,
  ): T;
  /** Starts a span that outlives one call; the caller ends it. */
  startSpan(declared: SpanName, name: string, parent: Context, attributes: SpanAttributes): Span;
  /** Prometheus text of all metrics. */
  scrape(): Promise<string>;
  /** Sends what is left, within two seconds, and stops. */
  shutdown(): Promise<void>;
}

export interface TelemetryOptions {
  readonly service: ServiceName;
  readonly env: Env;
  readonly clock?: Clock;
  readonly write?: (line: string) => void;
}

/** Creates a service's telemetry; throws UsageError for a bad OTEL_* variable. */
export function createTelemetry(options: TelemetryOptions): Telemetry {
  const { service, env, clock = systemClock, write } = options;
  const url = readEnv(env, "OTEL_EXPORTER_OTLP_ENDPOINT", DEFAULT_ENDPOINT, httpUrl);
  const isOff = readEnv(env, "OTEL_SDK_DISABLED", "false", oneOf(["true", "false"])) === "true";
  const observer = new Observer();
  const resource = resourceFromAttributes({
    [ATTR_SERVICE_NAME]: service,
    [ATTR_SERVICE_INSTANCE_ID]: `${service}-${process.pid}`,
  });
  context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable());
  const tracing = new BasicTracerProvider({
    resource,
    spanProcessors: isOff ? [] : [spanProcessor(url, observer, resource, SCOPE)],
  });
  const logging = new LoggerProvider({
    resource,
    processors: isOff ? [] : [logProcessor(url, observer)],
  });
  const metering = new MeterProvider({
    resource,
    readers: isOff ? [] : [metricReader(url, observer)],
  });
  const meters = new Meters(service, metering.getMeter(SCOPE));
  const logger = createLogger({
    service,
    otel: logging.getLogger(SCOPE),
    clock,
    ...(write === undefined ? {} : { write }),
  });
  observer.connect(meters, logger);
  startDeclared(meters, service);
  const tracer = tracing.getTracer(SCOPE);
  const startSpan: Telemetry["startSpan"] = (declared, name, parent, attributes) => {
    checkSpan(declared, name, service, attributes as never);
    const span = tracer.startSpan(name, { attributes: { ...attributes } as never }, parent);
    return guard(declared, span);
  };
  return {
    meters,
    logger,
    startSpan,
    inSpan: (declared, name, parent, attributes, body) => {
      const span = startSpan(declared, name, parent, attributes);
      try {
        return context.with(trace.setSpan(parent, span), () => body(span));
      } finally {
        span.end();
      }
    },
    scrape: () => meters.registry.metrics(),
    shutdown: async () => {
      await Promise.race([
        Promise.allSettled([tracing.shutdown(), logging.shutdown(), metering.shutdown()]),
        clock.sleep(EXPORT_TIMEOUT_MS),
      ]);
    },
  };
}

/** Counts and reports what the exporters lose. Exporters exist before the meters, hence the late connection. */
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

  /** Outside of any span: an export goes on in the context of whoever happened to fill a batch. */
  #say<E extends LogEvent>(event: E, fields: Fields<E>): void {
    context.with(ROOT_CONTEXT, () => this.#logger?.log(event, fields));
  }
}

/** Makes the series with closed label sets exist from the start, with 0, in both copies of each metric. */
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
