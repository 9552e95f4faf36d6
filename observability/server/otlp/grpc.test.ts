import { describe, expect, test } from "bun:test";
import {
  Client,
  compressionAlgorithms,
  credentials,
  type ServiceError,
  status,
} from "@grpc/grpc-js";
import { OTLPLogExporter } from "@opentelemetry/exporter-logs-otlp-grpc";
import { OTLPTraceExporter } from "@opentelemetry/exporter-trace-otlp-grpc";
import { resourceFromAttributes } from "@opentelemetry/resources";
import { BatchLogRecordProcessor, LoggerProvider } from "@opentelemetry/sdk-logs";
import { BasicTracerProvider, SimpleSpanProcessor } from "@opentelemetry/sdk-trace-base";
import { TestServer } from "../testing/server.ts";
import { SIGNALS } from "./descriptor.ts";

const lab = await TestServer.forFile();

type Options = NonNullable<ConstructorParameters<typeof OTLPLogExporter>[0]>;

const { gzip: GZIP, identity: PLAIN } = compressionAlgorithms;
const raw = (value: Buffer): Buffer => value;

/** Calls a method with these bytes; resolves to the error, or the response's bytes. */
function call(path: string, bytes: Buffer, compression = PLAIN): Promise<ServiceError | Buffer> {
  const client = new Client(
    `127.0.0.1:${lab.server.ports.otlpGrpc}`,
    credentials.createInsecure(),
    { "grpc.default_compression_algorithm": compression },
  );
  const { promise, resolve } = Promise.withResolvers<ServiceError | Buffer>();
  client.makeUnaryRequest(path, raw, raw, bytes, (error, response) => {
    client.close();
    resolve(error ?? response ?? Buffer.alloc(0));
  });
  return promise;
}

const EXPORT = `/${SIGNALS.traces.grpcService}/Export`;
const spans = (...ids: string[]): Buffer =>
  Buffer.from(
    SIGNALS.traces.request
      .encode({
        resourceSpans: [
          {
            scopeSpans: [
              {
                spans: ids.map((id) => ({
                  traceId: Buffer.from("0102030405060708090a0b0c0d0e0f10", "hex"),
                  spanId: Buffer.from(id, "hex"),
                  name: "x",
                  startTimeUnixNano: 5,
                })),
              },
            ],
          },
        ],
      })
      .finish(),
  );
const stored = (): number => {
  lab.server.store.flush();
  return lab.server.store.stats.spans;
};

describe("a sender that knows nothing of the lab", () => {
  const resource = resourceFromAttributes({
    "service.name": "shop/checkout ✓",
    "service.namespace": "shop",
    team: "payments",
  });
  // Parsed from text, because the enum of compressions is in an internal package of the exporters.
  const options = (): Options =>
    JSON.parse(
      `{"url":"http://127.0.0.1:${lab.server.ports.otlpGrpc}","compression":"gzip"}`,
    ) as Options;

  test("is taken, compressed, and read by the names that it uses", async () => {
    const tracing = new BasicTracerProvider({
      resource,
      spanProcessors: [new SimpleSpanProcessor(new OTLPTraceExporter(options()))],
    });
    const logging = new LoggerProvider({
      resource,
      processors: [new BatchLogRecordProcessor({ exporter: new OTLPLogExporter(options()) })],
    });
    const span = tracing.getTracer("shop").startSpan("POST /cart", {
      attributes: { "http.response.status_code": 500 },
    });
    span.end();
    // Times of the server's clock, which the test controls.
    logging.getLogger("shop").emit({
      timestamp: new Date(lab.clock.nowMs() - 1000),
      body: "card declined",
    });
    await Promise.all([tracing.forceFlush(), logging.forceFlush()]);

    const values = await lab.get("loki", "/loki/api/v1/label/service_name/values");
    expect(values.json()["data"]).toEqual(["shop/checkout ✓"]);
    const lines = await lab.get("loki", "/loki/api/v1/query_range", {
      query: '{service_name="shop/checkout ✓", service_namespace="shop"} |= "declined"',
    });
    expect(lines.json()["data"]).toMatchObject({
      result: [{ values: [[`${lab.clock.nowMs() - 1000}000000`, "card declined"]] }],
    });
    const { traceId } = span.spanContext();
    const trace = await lab.get("tempo", `/api/traces/${traceId}`);
    expect(trace.text).toContain("POST /cart");
    expect(trace.text).toContain('"stringValue":"payments"');
    await Promise.all([tracing.shutdown(), logging.shutdown()]);
  });
});

describe("gRPC", () => {
  test("takes compressed requests", async () => {
    const before = stored();
    expect(await call(EXPORT, spans("0102030405060708"), GZIP)).toBeInstanceOf(Buffer);
    expect(stored()).toBe(before + 1);
  });

  test("refuses a bad span alone, as partial success", async () => {
    const before = stored();
    const answer = await call(EXPORT, spans("1112131415161718", "00", "0000000000000000"));
    const decoded = SIGNALS.traces.response.decode(answer as Buffer);
    expect(SIGNALS.traces.response.toObject(decoded, { longs: Number })).toEqual({
      partialSuccess: {
        rejectedSpans: 2,
        errorMessage: expect.stringContaining("span_id must be 8 bytes") as string,
      },
    });
    expect(stored()).toBe(before + 1);
  });

  test("answers with the standard codes, stays up, and keeps what it took", async () => {
    const before = stored();
    const codeOf = async (...args: Parameters<typeof call>): Promise<number | undefined> =>
      ((await call(...args)) as ServiceError).code;
    expect(await codeOf(EXPORT, Buffer.from("hello"))).toBe(status.INVALID_ARGUMENT);
    expect(await codeOf(EXPORT, Buffer.from("hello"), GZIP)).toBe(status.INVALID_ARGUMENT);
    expect(await codeOf(EXPORT, Buffer.alloc(17_000_000))).toBe(status.RESOURCE_EXHAUSTED);
    // Small when compressed, large after decompression.
    expect(await codeOf(EXPORT, Buffer.alloc(40_000_000), GZIP)).toBe(status.RESOURCE_EXHAUSTED);
    expect(await codeOf("/opentelemetry.proto.unknown.v1.Service/Export", Buffer.alloc(0))).toBe(
      status.UNIMPLEMENTED,
    );
    expect(await call(EXPORT, spans("2122232425262728"))).toBeInstanceOf(Buffer);
    expect(stored()).toBe(before + 1);
  });
});
