/**
 * Cost of a message in a service: from publish() to the subscriber, through the bus, within one
 * process.
 */
import { type Context, ROOT_CONTEXT } from "@opentelemetry/api";
import { createTelemetry } from "../../telemetry/telemetry.ts";
import { Bus, type Subscriber } from "../bus.ts";
import type { Message } from "../message.ts";
import { heapBytes } from "./alone.ts";
import { Look, track } from "./tracks.ts";

/**
 * Number of targets, and messages of each that the topic's history keeps: the maximum that can wait
 * between two turns of the event loop.
 */
const TARGETS = 30;
const DEPTH = 10;
/** Number of messages with the same trace: a scan has three targets. */
const SCAN = 3;

type Topic = "SourceTrackTopic";
type Visit = Subscriber<Topic>["message"];

/** Generates a new trace context for each message, so that the cache of contexts does not apply. */
function* newTraces(): Generator<string> {
  for (let i = 1; ; i++) {
    const id = i.toString(16);
    const text = `00-${id.padStart(32, "0")}-${id.padStart(16, "0")}-01`;
    // JavaScriptCore concatenates text lazily; the memory would be attributed to the reader.
    yield Buffer.from(text).toString("latin1");
  }
}

/**
 * Bytes of heap for each message, garbage included; run it with garbage collection off
 * (BUN_JSC_useGC=0). Each variant reads every field of the message except the trace.
 */
export async function busAllocation(count: number): Promise<Record<string, number>> {
  const telemetry = createTelemetry({
    service: "track-fusion",
    env: { OTEL_SDK_DISABLED: "true" },
    write: () => {},
  });
  const bus = new Bus({ domainId: 0, telemetry });
  const look = new Look();
  let [seen, expected, others] = [0, 0, 0];
  let arrived = (): void => {};
  const inSpan = (message: Message<Topic>, parent: Context): void =>
    telemetry.inSpan("fusion.ingest", "fusion.ingest", parent, {}, () => look.data(message));
  const ways: Readonly<Record<string, Visit>> = {
    view: (message) => look.data(message),
    copy: (_, arrival) => look.data(arrival.copy()),
    parent: (message, { parent }) => {
      look.data(message);
      if (parent === undefined) others++;
    },
    new_span: (message) => inSpan(message, ROOT_CONTEXT),
    span: (message, { parent }) => inSpan(message, parent),
  };
  let visit = ways["view"] as Visit;
  bus.visit("SourceTrackTopic", {
    message: (message, arrival) => {
      visit(message, arrival);
      if (++seen === expected) arrived();
    },
  });
  const publisher = bus.publisher("SourceTrackTopic");
  const traces = newTraces();
  const messages = Array.from({ length: TARGETS }, (_, i) => ({
    ...track(),
    source_track_id: `RADAR-1:${i}`,
  }));
  const exchange = async (traceparents: readonly string[]): Promise<void> => {
    seen = 0;
    for (let written = 0; written < count;) {
      for (let i = 0; i < TARGETS * DEPTH && written < count; i++, written++) {
        const message = messages[i % TARGETS] as ReturnType<typeof track>;
        message.trace.traceparent = traceparents[Math.floor(written / SCAN)] as string;
        publisher.publish(message);
      }
      expected = written;
      await new Promise<void>((resolve) => (arrived = resolve));
    }
  };
  const measure = async (): Promise<number> => {
    const traceparents = Array.from({ length: count / SCAN + 1 }, () => `${traces.next().value}`);
    const before = heapBytes();
    await exchange(traceparents);
    return (heapBytes() - before) / count;
  };
  const figures: Record<string, number> = {};
  for (const [name, way] of Object.entries(ways)) {
    visit = way;
    // The first rounds compile the code.
    for (let round = 0; round < 3; round++) figures[`bus_${name}_bytes`] = await measure();
  }
  bus.close();
  return { ...figures, bus_check: look.sum + others };
}
