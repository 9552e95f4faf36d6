/**
 * Structured logs: one JSON object per line on standard output, and the same object as an OTel log
 * record with the trace id of the active span. Only declared events and fields can be logged.
 */
import { trace } from "@opentelemetry/api";
import { type Logger as OtelLogger, SeverityNumber } from "@opentelemetry/api-logs";
import type { Clock } from "../base/clock.ts";
import { type LogEvent, type LogLevel, LOGS, type LogSpec } from "../contract/telemetry.ts";
import type { ServiceName } from "../contract/topology.ts";

export type FieldValue = string | number | boolean | null | readonly string[];
export type Fields<E extends LogEvent> = Readonly<
  Record<(typeof LOGS)[E]["fields"][number], FieldValue>
>;

export interface Logger {
  /** Writes `event`, with its fields in declared order, the most important first. */
  log<E extends LogEvent>(event: E, fields: Fields<E>): void;
}

const SEVERITY = {
  DEBUG: SeverityNumber.DEBUG,
  INFO: SeverityNumber.INFO,
  WARN: SeverityNumber.WARN,
  ERROR: SeverityNumber.ERROR,
} as const;

export interface LoggerOptions {
  readonly service: ServiceName;
  readonly otel: OtelLogger;
  readonly clock: Clock;
  readonly write?: (line: string) => void;
  /** Called for every record. */
  readonly count?: (level: LogLevel) => void;
}

export function createLogger(options: LoggerOptions): Logger {
  const {
    service,
    otel,
    clock,
    write = (line) => void process.stdout.write(line),
    count,
  } = options;
  return {
    log: (event, fields) => {
      const spec: LogSpec = LOGS[event];
      checkDeclared(event, spec, service, fields);
      const body: Record<string, FieldValue> = { event, level: spec.level, service };
      for (const name of spec.fields) {
        body[name] = (fields as Record<string, FieldValue>)[name] ?? null;
      }
      const span = trace.getActiveSpan()?.spanContext();
      if (span !== undefined) {
        body["trace_id"] = span.traceId;
        body["span_id"] = span.spanId;
      }
      count?.(spec.level);
      const nowMs = clock.nowMs();
      const text = JSON.stringify(body);
      write(
        `${JSON.stringify({ time: new Date(nowMs).toISOString() }).slice(0, -1)},${text.slice(1)}\n`,
      );
      otel.emit({
        timestamp: nowMs,
        severityNumber: SEVERITY[spec.level],
        severityText: spec.level,
        body: text,
        eventName: event,
        attributes: { "event.name": event, ...exceptionOf(body) },
      });
    },
  };
}

/** The fields that OpenTelemetry's conventions for exceptions define. */
function exceptionOf(body: Readonly<Record<string, FieldValue>>): Record<string, string> {
  const named = Object.entries(body).filter(([name]) => name.startsWith("exception."));
  return Object.fromEntries(named.map(([name, value]) => [name, String(value)]));
}

function checkDeclared(
  event: LogEvent,
  spec: LogSpec,
  service: ServiceName,
  fields: Readonly<Record<string, FieldValue>>,
): void {
  if (!spec.services.includes(service)) {
    throw new TypeError(`Cannot log ${event}: it is not declared for ${service}`);
  }
  for (const name of Object.keys(fields)) {
    if (!spec.fields.includes(name)) {
      throw new TypeError(`Cannot log ${event}: ${name} is not one of its fields`);
    }
  }
}
