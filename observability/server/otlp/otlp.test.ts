import { describe, expect, test } from "bun:test";
import { gzipSync } from "node:zlib";
import { Client, credentials, type ServiceError, status } from "@grpc/grpc-js";
import { SpanKind, SpanStatusCode } from "@opentelemetry/api";
import { SeverityNumber } from "@opentelemetry/api-logs";
import { OTLPLogExporter } from "@opentelemetry/exporter-logs-otlp-grpc";
import { OTLPMetricExporter } from "@opentelemetry/exporter-metrics-otlp-grpc";
import { OTLPTraceExporter } from "@opentelemetry/exporter-trace-otlp-grpc";
import { resourceFromAttributes } from "@opentelemetry/resources";
import { LoggerProvider, BatchLogRecordProcessor } from "@opentelemetry/sdk-logs";
import { MeterProvider, PeriodicExportingMetricReader } from "@opentelemetry/sdk-metrics";
import { BasicTracerProvider, SimpleSpanProcessor } from "@opentelemetry/sdk-trace-base";
import fc from "fast-check";
import { TestServer } from "../testing/server.ts";
import { RPC_STATUS, SIGNALS } from "./descriptor.ts";

const lab = await TestServer.forFile();

const PROTOBUF = { "content-type": "application/x-protobuf" };
const traceBytes = (spanId = "0102030405060708"): Uint8Array =>
  SIGNALS.traces.request
    .encode({
      resourceSpans: [
        {
          scopeSpans: [
            {
              spans: [
                {
                  traceId: Buffer.from("0102030405060708090a0b0c0d0e0f10", "hex"),
                  spanId: Buffer.from(spanId, "hex"),
                  name: "x",
                  startTimeUnixNano: 5,
                },
              ],
            },
          ],
        },
      ],
    })
    .finish();
const post = (
  path: string,
  body: string | Uint8Array<ArrayBuffer>,
  headers: Record<string, string> = PROTOBUF,
) => fetch(`${lab.url("otlpHttp")}${path}`, { method: "POST", headers, body });
const statusOf = async (reply: Response): Promise<string> =>
  (RPC_STATUS.decode(new Uint8Array(await reply.arrayBuffer())) as unknown as { message: string })
    .message;
/** Number of stored spans, including queued ones. */
const spansStored = (): number => {
  lab.server.store.flush();
  return lab.server.store.stats.spans;
};

describe("the official exporters over gRPC", () => {
  const resource = resourceFromAttributes({ "service.name": "exporter-test" });
  const url = (): string => `http://127.0.0.1:${lab.server.ports.otlpGrpc}`;

  test("spans arrive with attributes, events, links and status", async () => {
    const provider = new BasicTracerProvider({
      resource,
      spanProcessors: [new SimpleSpanProcessor(new OTLPTraceExporter({ url: url() }))],
    });
    const tracer = provider.getTracer("tests", "1.2");
    const parent = tracer.startSpan("parent", { kind: SpanKind.PRODUCER });
    const span = tracer.startSpan("work", {
      attributes: { text: "t", whole: 7, part: 0.5, yes: true, list: ["a", "b"] },
      links: [{ context: parent.spanContext() }],
    });
    span.addEvent("happened", { why: "because" });
    span.setStatus({ code: SpanStatusCode.ERROR, message: "went wrong" });
    span.end();
    parent.end();
    await provider.forceFlush();
    const { traceId } = span.spanContext();
    const { batches } = (await lab.get("tempo", `/api/traces/${traceId}`)).json() as {
      batches: { scopeSpans: { scope: unknown; spans: Record<string, unknown>[] }[] }[];
    };
    const [scoped] = batches[0]?.scopeSpans ?? [];
    expect(scoped?.scope).toEqual({ name: "tests", version: "1.2" });
    expect(scoped?.spans[0]).toMatchObject({
      traceId: Buffer.from(traceId, "hex").toString("base64"),
      name: "work",
      kind: "SPAN_KIND_INTERNAL",
      status: { code: "STATUS_CODE_ERROR", message: "went wrong" },
      attributes: [
        { key: "text", value: { stringValue: "t" } },
        { key: "whole", value: { intValue: "7" } },
        { key: "part", value: { doubleValue: 0.5 } },
        { key: "yes", value: { boolValue: true } },
        {
          key: "list",
          value: { arrayValue: { values: [{ stringValue: "a" }, { stringValue: "b" }] } },
        },
      ],
      events: [
        { name: "happened", attributes: [{ key: "why", value: { stringValue: "because" } }] },
      ],
      links: [{ traceId: Buffer.from(parent.spanContext().traceId, "hex").toString("base64") }],
    });
    await provider.shutdown();
  });

  test("log records arrive with their fields as structured metadata", async () => {
    const provider = new LoggerProvider({
      resource,
      processors: [new BatchLogRecordProcessor({ exporter: new OTLPLogExporter({ url: url() }) })],
    });
    provider.getLogger("tests").emit({
      timestamp: new Date(lab.clock.nowMs() - 1000),
      severityNumber: SeverityNumber.WARN,
      severityText: "WARN",
      body: '{"event":"e"}',
      attributes: { "event.name": "e" },
    });
    await provider.forceFlush();
    const reply = await lab.get("loki", "/loki/api/v1/query_range", {
      query: '{service_name="exporter-test"}',
    });
    const [stream] = (
      reply.json()["data"] as { result: { stream: object; values: [string, string][] }[] }
    ).result;
    expect(stream?.stream).toMatchObject({
      service_name: "exporter-test",
      event_name: "e",
      severity_number: "13",
      severity_text: "WARN",
      detected_level: "warn",
      scope_name: "tests",
    });
    expect(stream?.values).toEqual([[`${lab.clock.nowMs() - 1000}000000`, '{"event":"e"}']]);
    await provider.shutdown();
  });

  test("pushed metrics are shown with the prefix and expire a minute after the last push", async () => {
    const reader = new PeriodicExportingMetricReader({
      exporter: new OTLPMetricExporter({ url: url() }),
      exportIntervalMillis: 3_600_000,
    });
    const provider = new MeterProvider({ resource, readers: [reader] });
    const meter = provider.getMeter("tests");
    meter
      .createCounter("cms_orders_total", { description: "Orders" })
      .add(3, { action: 'EN"GA\\GE\n' });
    meter.createGauge("depth").record(1.5);
    meter
      .createHistogram("took_seconds", { advice: { explicitBucketBoundaries: [1, 2] } })
      .record(1.5);
    await provider.forceFlush();
    const { text } = await lab.get("console", "/otlp/metrics");
    expect(text).toContain(
      "# HELP otlp_cms_orders_total Orders\n# TYPE otlp_cms_orders_total counter\n",
    );
    expect(text).toContain(
      'otlp_cms_orders_total{service_name="exporter-test",action="EN\\"GA\\\\GE\\n"} 3\n',
    );
    expect(text).toContain('otlp_depth{service_name="exporter-test"} 1.5\n');
    expect(text).toContain('otlp_took_seconds_bucket{service_name="exporter-test",le="1"} 0\n');
    expect(text).toContain('otlp_took_seconds_bucket{service_name="exporter-test",le="+Inf"} 1\n');
    expect(text).toContain('otlp_took_seconds_sum{service_name="exporter-test"} 1.5\n');
    lab.clock.advance(61_000);
    expect((await lab.get("console", "/otlp/metrics")).text).toBe("");
    await provider.shutdown();
  });
});

describe("OTLP over HTTP", () => {
  test("protobuf, plain and gzip, is taken and answered in protobuf", async () => {
    const before = spansStored();
    for (const [body, headers] of [
      [traceBytes(), PROTOBUF],
      [gzipSync(traceBytes()), { ...PROTOBUF, "content-encoding": "gzip" }],
    ] as const) {
      const reply = await post("/v1/traces", new Uint8Array(body), headers);
      expect([reply.status, reply.headers.get("content-type")]).toEqual([
        200,
        "application/x-protobuf",
      ]);
      expect((await reply.arrayBuffer()).byteLength).toBe(0);
    }
    expect(spansStored()).toBe(before + 2);
  });

  test("a span whose ids break the protocol is refused alone, as partial success", async () => {
    const before = spansStored();
    const bad = Buffer.concat([traceBytes(), traceBytes("00"), traceBytes("0000000000000000")]);
    const reply = await post("/v1/traces", new Uint8Array(bad));
    const decoded = SIGNALS.traces.response.decode(new Uint8Array(await reply.arrayBuffer()));
    expect(SIGNALS.traces.response.toObject(decoded, { longs: Number })).toEqual({
      partialSuccess: {
        rejectedSpans: 2,
        errorMessage: expect.stringContaining("span_id must be 8 bytes") as string,
      },
    });
    expect(spansStored()).toBe(before + 1);
  });

  test("names that a label may not have do not make the page invalid for everybody", async () => {
    const attribute = (key: string) => ({ key, value: { stringValue: `of "${key}"` } });
    const attributes = ["", "__name__", "le", "quantile", "service.name", "service_name", "9", "é"];
    const request = {
      resourceMetrics: [
        {
          scopeMetrics: [
            {
              metrics: [
                {
                  name: "",
                  gauge: { dataPoints: [{ asInt: "1", attributes: attributes.map(attribute) }] },
                },
                {
                  name: "h",
                  histogram: {
                    aggregationTemporality: 2,
                    dataPoints: [
                      {
                        count: "1",
                        sum: 1,
                        explicitBounds: [1],
                        bucketCounts: ["1", "0"],
                        attributes: attributes.map(attribute),
                      },
                    ],
                  },
                },
              ],
            },
          ],
        },
      ],
    };
    await post("/v1/metrics", JSON.stringify(request), { "content-type": "application/json" });
    const { text } = await lab.get("console", "/otlp/metrics");
    const samples = text.split("\n").filter((line) => /^otlp_(h_|\{)/.test(line));
    expect(samples.length).toBeGreaterThanOrEqual(5);
    for (const sample of samples) {
      expect(sample).toMatch(/^[a-zA-Z_:][\w:]*\{([a-zA-Z_]\w*="(\\.|[^"\\])*",?)+\} \S+$/);
      const names = Array.from(
        sample.matchAll(/([a-zA-Z_]\w*)="(?:\\.|[^"\\])*"/g),
        ([, name]) => name,
      );
      expect(names).toEqual([...new Set(names)]);
      expect(names.filter((name) => name?.startsWith("__"))).toEqual([]);
      expect(sample).toContain('service_name="unknown_service"');
    }
    lab.clock.advance(61_000);
  });

  test("delta temporality and exponential histograms are refused with the reason", async () => {
    const request = {
      resourceMetrics: [
        {
          scopeMetrics: [
            {
              metrics: [
                {
                  name: "d",
                  sum: {
                    aggregationTemporality: "AGGREGATION_TEMPORALITY_DELTA",
                    dataPoints: [{ asInt: "1" }],
                  },
                },
                { name: "e", exponentialHistogram: { dataPoints: [{}, {}] } },
              ],
            },
          ],
        },
      ],
    };
    const reply = await post("/v1/metrics", JSON.stringify(request), {
      "content-type": "application/json",
    });
    expect(await reply.json()).toEqual({
      partialSuccess: {
        rejectedDataPoints: 3,
        errorMessage: "e: only gauges, sums and explicit histograms are taken",
      },
    });
  });

  test("unknown fields of newer senders are skipped", async () => {
    // Field 999, length-delimited, before the valid request.
    const unknown = Buffer.from([0xba, 0x3e, 0x03, 1, 2, 3]);
    const reply = await post("/v1/traces", new Uint8Array(Buffer.concat([unknown, traceBytes()])));
    expect(reply.status).toBe(200);
  });

  test.each([
    [
      "no protobuf",
      "/v1/traces",
      Buffer.from("hello"),
      PROTOBUF,
      400,
      "not a protobuf traces request",
    ],
    [
      "cut protobuf",
      "/v1/traces",
      traceBytes().slice(0, 20),
      PROTOBUF,
      400,
      "not a protobuf traces request",
    ],
    [
      "broken gzip",
      "/v1/logs",
      Buffer.from("xx"),
      { ...PROTOBUF, "content-encoding": "gzip" },
      400,
      "not valid gzip",
    ],
    [
      "unknown encoding",
      "/v1/logs",
      Buffer.from("xx"),
      { ...PROTOBUF, "content-encoding": "br" },
      415,
      'but is "br"',
    ],
    [
      "unknown type",
      "/v1/logs",
      Buffer.from("xx"),
      { "content-type": "text/plain" },
      415,
      'but is "text/plain"',
    ],
    [
      "gzip bomb",
      "/v1/logs",
      gzipSync(Buffer.alloc(40_000_000)),
      { ...PROTOBUF, "content-encoding": "gzip" },
      413,
      "at most 16777216 bytes",
    ],
  ])("refuses %s with a status that says why", async (_, path, body, headers, code, said) => {
    const before = spansStored();
    const reply = await post(path, new Uint8Array(body), headers);
    expect(reply.status).toBe(code);
    expect(await statusOf(reply)).toContain(said);
    expect(spansStored()).toBe(before);
  });

  test("a body over the limit is refused before it is read", async () => {
    const reply = await post("/v1/traces", new Uint8Array(17_000_000));
    expect(reply.status).toBe(413);
  });

  test.each([
    ["[]"],
    ["null"],
    ["{"],
    ['{"resourceLogs":5}'],
    ['{"resourceLogs":[5]}'],
    ['{"resourceLogs":[{"scopeLogs":{}}]}'],
    ['{"resourceLogs":[{"scopeLogs":[{"logRecords":[{"timeUnixNano":"soon"}]}]}]}'],
    ['{"resourceLogs":[{"scopeLogs":[{"logRecords":[{"body":{"stringValue":5}}]}]}]}'],
    ['{"resourceLogs":[{"scopeLogs":[{"logRecords":[{"traceId":"xyz"}]}]}]}'],
    [
      `{"resourceLogs":[{"scopeLogs":[{"logRecords":[{"body":${'{"arrayValue":{"values":['.repeat(200)}{}${"]}}".repeat(200)}}]}]}]}`,
    ],
  ])("refuses malformed JSON: %p", async (body) => {
    const reply = await post("/v1/logs", body, { "content-type": "application/json" });
    expect(reply.status).toBe(400);
    expect(((await reply.json()) as { message: string }).message).not.toBe("");
  });

  test("no bytes, however mangled, take it down or take away what was accepted", async () => {
    const good = traceBytes();
    const before = spansStored();
    let accepted = 0;
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.tuple(fc.nat(good.length - 1), fc.nat(255)), { minLength: 1, maxLength: 6 }),
        fc.constantFrom("/v1/traces", "/v1/logs", "/v1/metrics"),
        async (edits, path) => {
          const bytes = new Uint8Array(good);
          for (const [at, value] of edits) bytes[at] = value;
          const reply = await post(path, bytes);
          expect([200, 400]).toContain(reply.status);
          if (reply.status === 200 && path === "/v1/traces") accepted += 1;
        },
      ),
      { numRuns: 300 },
    );
    expect((await post("/v1/traces", new Uint8Array(good))).status).toBe(200);
    expect(spansStored()).toBeGreaterThan(before);
    expect(spansStored()).toBeLessThanOrEqual(before + accepted + 1);
  });
});

describe("OTLP over gRPC, malformed", () => {
  const call = (bytes: Buffer): Promise<ServiceError | null> => {
    const client = new Client(
      `127.0.0.1:${lab.server.ports.otlpGrpc}`,
      credentials.createInsecure(),
    );
    const { promise, resolve } = Promise.withResolvers<ServiceError | null>();
    const path = `/${SIGNALS.traces.grpcService}/Export`;
    const raw = (value: Buffer): Buffer => value;
    client.makeUnaryRequest(path, raw, raw, bytes, (error) => {
      client.close();
      resolve(error);
    });
    return promise;
  };

  test("gets INVALID_ARGUMENT for what is no request and RESOURCE_EXHAUSTED for what is too large", async () => {
    expect((await call(Buffer.from("hello")))?.code).toBe(status.INVALID_ARGUMENT);
    expect((await call(Buffer.alloc(17_000_000)))?.code).toBe(status.RESOURCE_EXHAUSTED);
    expect(await call(Buffer.from(traceBytes()))).toBeNull();
  });
});
