/**
 * The part of the OpenTelemetry protocol that is read here, as protobufjs descriptors.
 *
 * Names and field numbers are those of opentelemetry-proto 1.x. Fields that are not listed are
 * skipped by the decoder, as protobuf demands; newer senders therefore keep working.
 */
import protobuf from "protobufjs/light";

type Fields = Record<string, string>;

/**
 * Turns `{ name: "3 repeated bytes" }` into protobufjs' form; a leading `?` puts a field into the
 * oneof.
 */
function message(fields: Fields, nested: Record<string, protobuf.AnyNestedObject> = {}) {
  const out: Record<string, protobuf.IField> = {};
  const oneof: string[] = [];
  for (const [name, text] of Object.entries(fields)) {
    const [id = "", ...rest] = text.replace("?", "").split(" ");
    const type = rest.at(-1) ?? "";
    out[name] =
      rest[0] === "repeated"
        ? { rule: "repeated", type, id: Number(id) }
        : { type, id: Number(id) };
    if (text.startsWith("?")) oneof.push(name);
  }
  return {
    fields: out,
    ...(oneof.length === 0 ? {} : { oneofs: { oneofValue: { oneof } } }),
    nested,
  };
}

const root = protobuf.Root.fromJSON({
  nested: {
    AnyValue: message({
      stringValue: "?1 string",
      boolValue: "?2 bool",
      intValue: "?3 int64",
      doubleValue: "?4 double",
      arrayValue: "?5 ArrayValue",
      kvlistValue: "?6 KeyValueList",
      bytesValue: "?7 bytes",
    }),
    ArrayValue: message({ values: "1 repeated AnyValue" }),
    KeyValueList: message({ values: "1 repeated KeyValue" }),
    KeyValue: message({ key: "1 string", value: "2 AnyValue" }),
    Scope: message({
      name: "1 string",
      version: "2 string",
      attributes: "3 repeated KeyValue",
      droppedAttributesCount: "4 uint32",
    }),
    Resource: message({ attributes: "1 repeated KeyValue", droppedAttributesCount: "2 uint32" }),

    TracesRequest: message({ resourceSpans: "1 repeated ResourceSpans" }),
    ResourceSpans: message({
      resource: "1 Resource",
      scopeSpans: "2 repeated ScopeSpans",
      schemaUrl: "3 string",
    }),
    ScopeSpans: message({ scope: "1 Scope", spans: "2 repeated Span", schemaUrl: "3 string" }),
    Span: message({
      traceId: "1 bytes",
      spanId: "2 bytes",
      traceState: "3 string",
      parentSpanId: "4 bytes",
      name: "5 string",
      kind: "6 int32",
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
      droppedAttributesCount: "4 uint32",
    }),
    SpanLink: message({
      traceId: "1 bytes",
      spanId: "2 bytes",
      traceState: "3 string",
      attributes: "4 repeated KeyValue",
      droppedAttributesCount: "5 uint32",
      flags: "6 fixed32",
    }),
    Status: message({ message: "2 string", code: "3 int32" }),

    LogsRequest: message({ resourceLogs: "1 repeated ResourceLogs" }),
    ResourceLogs: message({
      resource: "1 Resource",
      scopeLogs: "2 repeated ScopeLogs",
      schemaUrl: "3 string",
    }),
    ScopeLogs: message({
      scope: "1 Scope",
      logRecords: "2 repeated LogRecord",
      schemaUrl: "3 string",
    }),
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
      eventName: "12 string",
    }),

    MetricsRequest: message({ resourceMetrics: "1 repeated ResourceMetrics" }),
    ResourceMetrics: message({
      resource: "1 Resource",
      scopeMetrics: "2 repeated ScopeMetrics",
      schemaUrl: "3 string",
    }),
    ScopeMetrics: message({
      scope: "1 Scope",
      metrics: "2 repeated Metric",
      schemaUrl: "3 string",
    }),
    Metric: message({
      name: "1 string",
      description: "2 string",
      unit: "3 string",
      gauge: "?5 Gauge",
      sum: "?7 Sum",
      histogram: "?9 Histogram",
      exponentialHistogram: "?10 ExponentialHistogram",
      summary: "?11 Summary",
    }),
    Gauge: message({ dataPoints: "1 repeated NumberDataPoint" }),
    Sum: message({
      dataPoints: "1 repeated NumberDataPoint",
      aggregationTemporality: "2 int32",
      isMonotonic: "3 bool",
    }),
    Histogram: message({
      dataPoints: "1 repeated HistogramDataPoint",
      aggregationTemporality: "2 int32",
    }),
    ExponentialHistogram: message({ dataPoints: "1 repeated UnreadPoint" }),
    Summary: message({ dataPoints: "1 repeated UnreadPoint" }),
    UnreadPoint: message({}),
    NumberDataPoint: message({
      startTimeUnixNano: "2 fixed64",
      timeUnixNano: "3 fixed64",
      asDouble: "?4 double",
      asInt: "?6 sfixed64",
      attributes: "7 repeated KeyValue",
      flags: "8 uint32",
    }),
    HistogramDataPoint: message({
      startTimeUnixNano: "2 fixed64",
      timeUnixNano: "3 fixed64",
      count: "4 fixed64",
      sum: "5 double",
      bucketCounts: "6 repeated fixed64",
      explicitBounds: "7 repeated double",
      attributes: "9 repeated KeyValue",
      flags: "10 uint32",
    }),

    TracesResponse: message({ partialSuccess: "1 TracesPartial" }),
    TracesPartial: message({ rejectedSpans: "1 int64", errorMessage: "2 string" }),
    LogsResponse: message({ partialSuccess: "1 LogsPartial" }),
    LogsPartial: message({ rejectedLogRecords: "1 int64", errorMessage: "2 string" }),
    MetricsResponse: message({ partialSuccess: "1 MetricsPartial" }),
    MetricsPartial: message({ rejectedDataPoints: "1 int64", errorMessage: "2 string" }),
    RpcStatus: message({ code: "1 int32", message: "2 string" }),
  },
});

/** The three signals of the protocol, with their message types and where they are sent. */
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
