import { expect, test } from "bun:test";
import { type ExportResult, ExportResultCode } from "@opentelemetry/core";
import { resourceFromAttributes } from "@opentelemetry/resources";
import { BasicTracerProvider, SamplingDecision } from "@opentelemetry/sdk-trace-base";
import { waitUntil } from "../base/wait.ts";
import { QueueGate } from "./exporters.ts";
import { SpanBatches } from "./span-batches.ts";
import { type EncodedSpans, SpanEncoder } from "./span-encoder.ts";

const OK: ExportResult = { code: ExportResultCode.SUCCESS };

/** Spans in batches of three; a batch is away until `answer()`. */
function setUp({ batchDelayMs = 60_000, isSampled = true } = {}) {
  const resource = resourceFromAttributes({ "service.name": "track-fusion" });
  const sent: number[] = [];
  const done: (() => void)[] = [];
  const said: string[] = [];
  const gate = new QueueGate(6, () => said.push("dropped"));
  const batches = new SpanBatches({
    encoder: new SpanEncoder(resource, "cms"),
    exporter: {
      export: ({ count }: EncodedSpans, answer) => {
        gate.taken(count);
        sent.push(count);
        done.push(() => answer(OK));
      },
      shutdown: () => {
        said.push("shut down");
        return Promise.resolve();
      },
    },
    gate,
    batchItems: 3,
    batchDelayMs,
  });
  const decision = isSampled ? SamplingDecision.RECORD_AND_SAMPLED : SamplingDecision.RECORD;
  const provider = new BasicTracerProvider({
    resource,
    sampler: { shouldSample: () => ({ decision }), toString: () => "fixed" },
    spanProcessors: [batches],
  });
  const tracer = provider.getTracer("cms");
  const end = (count: number): void => {
    for (let i = 0; i < count; i++) tracer.startSpan("fusion.ingest").end();
  };
  const answer = async (): Promise<void> => {
    done.shift()?.();
    for (let i = 0; i < 20; i++) await Promise.resolve();
  };
  return { batches, sent, said, end, answer };
}

test("a batch leaves when it is full, and the next one when that has been answered", async () => {
  const { sent, end, answer } = setUp();
  end(2);
  expect(sent).toEqual([]);
  end(1);
  expect(sent).toEqual([3]);
  end(4);
  await answer();
  expect(sent).toEqual([3, 3]);
  await answer();
  expect(sent).toEqual([3, 3]);
  end(2);
  expect(sent).toEqual([3, 3, 3]);
});

test("what is not enough for a batch leaves after a while", async () => {
  const { batches, sent, end, answer } = setUp({ batchDelayMs: 1 });
  end(2);
  await waitUntil(() => ({ ok: sent.length > 0, seen: "nothing sent" }), {
    what: "the batch to leave",
    deadlineMs: 60_000,
    intervalMs: 1,
  });
  expect(sent).toEqual([2]);
  await answer();
  await batches.forceFlush();
  expect(sent).toEqual([2]);
});

test("while no batch is answered, what does not fit is dropped and counted", async () => {
  const { sent, said, end, answer } = setUp();
  end(3 + 6 + 4);
  expect(sent).toEqual([3]);
  expect(said).toEqual(["dropped", "dropped", "dropped", "dropped"]);
  await answer();
  await answer();
  expect(sent).toEqual([3, 3, 3]);
});

test("at shutdown all that waits is handed over first", async () => {
  const { batches, sent, said, end, answer } = setUp();
  end(4);
  const ended = batches.shutdown();
  await answer();
  expect([sent, said]).toEqual([[3, 1], []]);
  await answer();
  await ended;
  expect([sent, said]).toEqual([[3, 1], ["shut down"]]);
});

test("a span that is not sampled is not sent", async () => {
  const { batches, sent, end } = setUp({ isSampled: false });
  end(5);
  await batches.forceFlush();
  expect(sent).toEqual([]);
});
