import { afterAll, beforeAll, expect, test } from "bun:test";
import { status } from "@grpc/grpc-js";
import {
  type Attributes,
  createTraceState,
  ROOT_CONTEXT,
  type SpanContext,
  SpanStatusCode,
  trace,
  TraceFlags,
  type Tracer,
} from "@opentelemetry/api";
import { type ExportResult, ExportResultCode } from "@opentelemetry/core";
import { OTLPTraceExporter } from "@opentelemetry/exporter-trace-otlp-grpc";
import { resourceFromAttributes } from "@opentelemetry/resources";
import {
  BasicTracerProvider,
  InMemorySpanExporter,
  type ReadableSpan,
  SimpleSpanProcessor,
} from "@opentelemetry/sdk-trace-base";
import { exporterOptions } from "./otlp.ts";
import { otlpSettings } from "./otlp-settings.ts";
import { SpanEncoder } from "./span-encoder.ts";
import { EncodedSpanExporter } from "./span-exporter.ts";
import { type Receiver, startReceiver } from "./testing/receiver.ts";

const resource = resourceFromAttributes({
  "service.name": "track-fusion",
  "service.instance.id": "x",
});
let receiver: Receiver;

beforeAll(async () => {
  receiver = await startReceiver();
});
afterAll(() => receiver[Symbol.asyncDispose]());

const makeOurs = (): EncodedSpanExporter =>
  new EncodedSpanExporter(
    exporterOptions(otlpSettings({ OTEL_EXPORTER_OTLP_ENDPOINT: receiver.url }, "traces"), 1),
  );

/** Spans as the SDK makes them. */
function spansOf(make: (tracer: Tracer) => void): ReadableSpan[] {
  const memory = new InMemorySpanExporter();
  const provider = new BasicTracerProvider({
    resource,
    spanProcessors: [new SimpleSpanProcessor(memory)],
  });
  make(provider.getTracer("cms"));
  return memory.getFinishedSpans();
}

function encoded(spans: readonly ReadableSpan[]): { bytes: Uint8Array; count: number } {
  const encoder = new SpanEncoder(resource, "cms");
  for (const span of spans) encoder.add(span);
  return encoder.take();
}

const sentBy = <T>(
  exporter: { export(items: T, done: (result: ExportResult) => void): void },
  items: T,
): Promise<ExportResult> => new Promise((resolve) => exporter.export(items, resolve));

/** Both as they came over the wire: OpenTelemetry's own exporter's bytes, and these. */
async function onTheWire(spans: ReadableSpan[]): Promise<{ theirs: Buffer; ours: Buffer }> {
  receiver.requests.length = 0;
  const theirs = new OTLPTraceExporter({ url: receiver.url });
  const ours = makeOurs();
  expect(await sentBy(theirs, spans)).toMatchObject({ code: ExportResultCode.SUCCESS });
  expect(await sentBy(ours, encoded(spans))).toEqual({ code: ExportResultCode.SUCCESS });
  await Promise.all([theirs.shutdown(), ours.shutdown()]);
  const [first, second] = receiver.requests.map(({ body }) => body);
  if (first === undefined || second === undefined) throw new Error("nothing was received");
  return { theirs: first, ours: second };
}

const ATTRIBUTES: Attributes[] = [
  {},
  { "sensor.id": "EO-3", tactical_track_id: "TT-0001" },
  { empty: "", umlaut: "Küste", emoji: "📡", lone: "\ud800" },
  { long: "x".repeat(127), longer: "x".repeat(128), longest: "ü".repeat(20_000) },
  { zero: 0, one: 1, big: 2 ** 53 - 1, negative: -1, most: -(2 ** 53 - 1), byte: 127, more: 128 },
  { half: 0.5, minus: -0.25, nan: Number.NaN, endless: Number.POSITIVE_INFINITY },
  { yes: true, no: false, texts: ["a", "ü", ""], numbers: [1, -2, 0.5], none: [] },
];

const PARENTS: (SpanContext | undefined)[] = [
  undefined,
  {
    traceId: "0af7651916cd43dd8448eb211c80319c",
    spanId: "b7ad6b7169203331",
    traceFlags: TraceFlags.SAMPLED,
    isRemote: true,
    traceState: createTraceState("vendor=1,other=2"),
  },
  {
    traceId: "ffffffffffffffffffffffffffffffff",
    spanId: "000000000000000f",
    traceFlags: TraceFlags.SAMPLED,
  },
];

test("spans are the bytes that OpenTelemetry's own exporter sends", async () => {
  const spans = spansOf((tracer) => {
    for (const parent of PARENTS) {
      const context =
        parent === undefined ? ROOT_CONTEXT : trace.setSpanContext(ROOT_CONTEXT, parent);
      for (const attributes of ATTRIBUTES) {
        tracer.startSpan("fusion.ingest", { attributes }, context).end();
      }
    }
    tracer.startSpan("ü".repeat(200)).end();
    const failed = tracer.startSpan("failed", { startTime: [1_700_000_000, 999_999_999] });
    failed.setStatus({ code: SpanStatusCode.ERROR, message: "no way" });
    failed.end([4_000_000_000, 1]);
  });
  const { theirs, ours } = await onTheWire(spans);
  expect(ours.equals(theirs)).toBe(true);
});

test("a batch that is larger than what is set aside for it comes out whole, and the next one is empty", async () => {
  const spans = spansOf((tracer) => {
    for (let i = 0; i < 2000; i++) tracer.startSpan("a", { attributes: { i, half: i / 2 } }).end();
  });
  const { theirs, ours } = await onTheWire(spans);
  expect(ours.length).toBeGreaterThan(2 * 64 * 1024);
  expect(ours.equals(theirs)).toBe(true);
  const encoder = new SpanEncoder(resource, "cms");
  for (const span of spans) encoder.add(span);
  encoder.take();
  encoder.add(spans[0] as ReadableSpan);
  expect(encoder.take()).toEqual(encoded(spans.slice(0, 1)));
});

test("a refusal comes with gRPC's code", async () => {
  receiver.refuseWith = status.INVALID_ARGUMENT;
  const exporter = makeOurs();
  const result = await sentBy(exporter, encoded([]));
  receiver.refuseWith = status.OK;
  expect(result).toMatchObject({ code: ExportResultCode.FAILED, error: { code: 3 } });
  await exporter.shutdown();
});
