/**
 * The part of the OpenTelemetry protocol that this server reads, as protobufjs descriptors.
 *
 * Names and field numbers are those of opentelemetry-proto 1.x. The decoder skips fields that are
 * not listed, as protobuf demands, so newer senders keep working.
 */
import protobuf from "protobufjs/light";
import { SPAN_KINDS, spanKindName, STATUSES, statusCodeName } from "./span-enums.ts";

/** Converts `{ name: "3 repeated bytes" }` into protobufjs' form. */
function message(fields: Record<string, string>): protobuf.IType {
  return {
    fields: Object.fromEntries(
      Object.entries(fields).map(([name, text]) => {
        const [id, ...rest] = text.split(" ");
        const type = rest.at(-1) ?? "";
        const repeated = rest[0] === "repeated" ? { rule: "repeated" } : {};
        return [name, { ...repeated, type, id: Number(id) }];
      }),
    ),
  };
}

const enumeration = (names: readonly string[]): protobuf.IEnum => ({
  values: Object.fromEntries(names.map((name, number) => [name, number])),
});

const PARTIAL = { errorMessage: "2 string" };
const root = protobuf.Root.fromJSON({
  nested: {
    AnyValue: message({
      stringValue: "1 string",
      boolValue: "2 bool",
      intValue: "3 int64",
      doubleValue: "4 double",
      arrayValue: "5 ArrayValue",
      kvlistValue: "6 KeyValueList",
      bytesValue: "7 bytes",
    }),
    ArrayValue: message({ values: "1 repeated AnyValue" }),
    KeyValueList: message({ values: "1 repeated KeyValue" }),
    KeyValue: message({ key: "1 string", value: "2 AnyValue" }),
    Scope: message({ name: "1 string", version: "2 string", attributes: "3 repeated KeyValue" }),
    Resource: message({ attributes: "1 repeated KeyValue" }),

    TracesRequest: message({ resourceSpans: "1 repeated ResourceSpans" }),
    ResourceSpans: message({ resource: "1 Resource", scopeSpans: "2 repeated ScopeSpans" }),
    ScopeSpans: message({ scope: "1 Scope", spans: "2 repeated Span" }),
    SpanKind: enumeration(SPAN_KINDS.map(spanKindName)),
    StatusCode: enumeration(STATUSES.map(statusCodeName)),
    Span: message({
      traceId: "1 bytes",
      spanId: "2 bytes",
      traceState: "3 string",
      parentSpanId: "4 bytes",
      name: "5 string",
      kind: "6 SpanKind",
      startTimeUnixNano: "7 fixed64",
      endTimeUnixNano: "8 fixed64",
      attributes: "9 repeated KeyValue",
      droppedAttributesCount: "10 uint32",
      events: "11 repeated SpanEvent",
      droppedEventsCount: "12 uint32",
      links: "13 repeated SpanLink",
      droppedLinksCount: "14 uint32",
      status: "15 Status",
      flags: "16 fixed32",
    }),
    SpanEvent: message({
      timeUnixNano: "1 fixed64",
      name: "2 string",
      attributes: "3 repeated KeyValue",
    }),
    SpanLink: message({
      traceId: "1 bytes",
      spanId: "2 bytes",
      attributes: "4 repeated KeyValue",
    }),
    Status: message({ message: "2 string", code: "3 StatusCode" }),

    LogsRequest: message({ resourceLogs: "1 repeated ResourceLogs" }),
    ResourceLogs: message({ resource: "1 Resource", scopeLogs: "2 repeated ScopeLogs" }),
    ScopeLogs: message({ scope: "1 Scope", logRecords: "2 repeated LogRecord" }),
    LogRecord: message({
      timeUnixNano: "1 fixed64",
      severityNumber: "2 int32",
      severityText: "3 string",
      body: "5 AnyValue",
      attributes: "6 repeated KeyValue",
      droppedAttributesCount: "7 uint32",
      flags: "8 fixed32",
      traceId: "9 bytes",
      spanId: "10 bytes",
      observedTimeUnixNano: "11 fixed64",
    }),

    MetricsRequest: message({ resourceMetrics: "1 repeated ResourceMetrics" }),
    ResourceMetrics: message({ resource: "1 Resource", scopeMetrics: "2 repeated ScopeMetrics" }),
    ScopeMetrics: message({ scope: "1 Scope", metrics: "2 repeated Metric" }),
    Metric: message({
      name: "1 string",
      description: "2 string",
      gauge: "5 Numbers",
      sum: "7 Numbers",
      histogram: "9 Histogram",
      exponentialHistogram: "10 Unread",
      summary: "11 Unread",
    }),
    // Gauge and Sum of the protocol; a Gauge has the points only.
    Numbers: message({
      dataPoints: "1 repeated NumberDataPoint",
      aggregationTemporality: "2 int32",
      isMonotonic: "3 bool",
    }),
    Histogram: message({
      dataPoints: "1 repeated HistogramDataPoint",
      aggregationTemporality: "2 int32",
    }),
    // Points of other kinds are only counted.
    Unread: message({ dataPoints: "1 repeated UnreadPoint" }),
    UnreadPoint: message({}),
    NumberDataPoint: message({
      asDouble: "4 double",
      asInt: "6 sfixed64",
      attributes: "7 repeated KeyValue",
    }),
    HistogramDataPoint: message({
      count: "4 fixed64",
      sum: "5 double",
      bucketCounts: "6 repeated fixed64",
      explicitBounds: "7 repeated double",
      attributes: "9 repeated KeyValue",
    }),

    TracesResponse: message({ partialSuccess: "1 TracesPartial" }),
    TracesPartial: message({ rejectedSpans: "1 int64", ...PARTIAL }),
    LogsResponse: message({ partialSuccess: "1 LogsPartial" }),
    LogsPartial: message({ rejectedLogRecords: "1 int64", ...PARTIAL }),
    MetricsResponse: message({ partialSuccess: "1 MetricsPartial" }),
    MetricsPartial: message({ rejectedDataPoints: "1 int64", ...PARTIAL }),
    RpcStatus: message({ code: "1 int32", message: "2 string" }),
    // Part of Tempo's API: the answer of version 2 to a request for one trace.
    TraceByIdResponse: message({ trace: "1 TracesRequest" }),
  },
});

/** The three signals of the protocol, with their message types and endpoints. */
export const SIGNALS = {
  traces: {
    request: root.lookupType("TracesRequest"),
    response: root.lookupType("TracesResponse"),
    rejectedField: "rejectedSpans",
    grpcService: "opentelemetry.proto.collector.trace.v1.TraceService",
    httpPath: "/v1/traces",
  },
  logs: {
    request: root.lookupType("LogsRequest"),
    response: root.lookupType("LogsResponse"),
    rejectedField: "rejectedLogRecords",
    grpcService: "opentelemetry.proto.collector.logs.v1.LogsService",
    httpPath: "/v1/logs",
  },
  metrics: {
    request: root.lookupType("MetricsRequest"),
    response: root.lookupType("MetricsResponse"),
    rejectedField: "rejectedDataPoints",
    grpcService: "opentelemetry.proto.collector.metrics.v1.MetricsService",
    httpPath: "/v1/metrics",
  },
} as const;
export type Signal = keyof typeof SIGNALS;

/** google.rpc.Status, the body of an OTLP/HTTP error. */
export const RPC_STATUS = root.lookupType("RpcStatus");

/** Tempo's TraceByIDResponse. */
export const TRACE_BY_ID_RESPONSE = root.lookupType("TraceByIdResponse");
