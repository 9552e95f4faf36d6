import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from "bun:test";
import { status } from "@grpc/grpc-js";
import { BasicTracerProvider, SamplingDecision } from "@opentelemetry/sdk-trace-base";
import { BATCH_SPANS, QUEUE_ITEMS, spanProcessor } from "./otlp.ts";
import { otlpSettings } from "./otlp-settings.ts";
import { type Receiver, startReceiver } from "./testing/receiver.ts";

let receiver: Receiver;
let provider: BasicTracerProvider;
let isSampled = true;
let dropped = 0;

beforeAll(async () => {
  receiver = await startReceiver();
});
afterAll(() => receiver[Symbol.asyncDispose]());
beforeEach(() => {
  isSampled = true;
  dropped = 0;
  receiver.requests.length = 0;
  receiver.refuseWith = status.OK;
  const settings = otlpSettings({ OTEL_EXPORTER_OTLP_ENDPOINT: receiver.url }, "traces");
  const observer = {
    failing: () => {},
    resumed: () => {},
    dropped: (_: string, items: number) => void (dropped += items),
  };
  const decision = () =>
    isSampled ? SamplingDecision.RECORD_AND_SAMPLED : SamplingDecision.RECORD;
  provider = new BasicTracerProvider({
    sampler: { shouldSample: () => ({ decision: decision() }), toString: () => "switch" },
    spanProcessors: [spanProcessor(settings, observer)],
  });
});
afterEach(() => provider.shutdown());

function end(count: number, name = "fusion.ingest"): void {
  const tracer = provider.getTracer("cms");
  for (let i = 0; i < count; i++) tracer.startSpan(name).end();
}

test("spans that do not fit into the queue are dropped and counted", async () => {
  // The exporter takes the first batch from the queue at once.
  end(BATCH_SPANS + QUEUE_ITEMS + 5);
  expect(dropped).toBe(5);
  await provider.shutdown();
  expect(receiver.requests).toHaveLength(1 + Math.ceil(QUEUE_ITEMS / BATCH_SPANS));
});

test("a span that is not sampled is not sent, and takes no place in the queue", async () => {
  isSampled = false;
  end(QUEUE_ITEMS + 1);
  isSampled = true;
  end(1, "the only one");
  await provider.forceFlush();
  expect(dropped).toBe(0);
  expect(receiver.requests.map(({ body }) => body.includes("the only one"))).toEqual([true]);
  expect(receiver.requests[0]?.body.includes("fusion.ingest")).toBe(false);
});

test("a batch that the receiver refuses for good is lost at once", async () => {
  receiver.refuseWith = status.INVALID_ARGUMENT;
  end(2);
  await provider.forceFlush();
  expect(dropped).toBe(2);
});
