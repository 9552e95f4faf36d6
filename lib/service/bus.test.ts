import { describe, expect, test } from "bun:test";
import { type Context, ROOT_CONTEXT, trace } from "@opentelemetry/api";
import { BasicTracerProvider } from "@opentelemetry/sdk-trace-base";
import { loopbackConfig } from "../../ffi/testing/domain.ts";
import { waitUntil } from "../base/wait.ts";
import { createTelemetry } from "../telemetry/telemetry.ts";
import { Bus, WRITE_BATCHING } from "./bus.ts";
import type { Message } from "./message.ts";
import { contextOf, traceOf } from "./trace-context.ts";

let next = 0;

interface Domain {
  readonly domainId: number;
  readonly configXml?: string;
}

/** A domain that no other test uses. */
const newDomain = (): Domain => ({
  domainId: 40 + ((process.pid + next * 3) % 50),
  configXml: `${WRITE_BATCHING},${loopbackConfig(`bus-${process.pid}-${next++}`)}`,
});

/** A bus that both writes and reads, on its own domain or on another bus's. */
function makeBus(
  forceQos?: "EXCLUSIVE_OWNERSHIP" | "RELIABLE_KEEP_LAST",
  domain: Domain = newDomain(),
) {
  const lines: string[] = [];
  const telemetry = createTelemetry({
    service: "track-fusion",
    env: { OTEL_SDK_DISABLED: "true" },
    write: (line) => void lines.push(line),
  });
  const bus = new Bus({ ...domain, telemetry, forceQos });
  return { bus, lines, telemetry, domain: { domainId: domain.domainId } };
}

const message = (sequence_number: number): Message<"SourceTrackTopic"> => ({
  sensor_id: "ESM-2",
  source_track_id: "ESM-2:1",
  sensor_type: "ESM",
  sequence_number,
  position: { x: 1, y: 2, z: 3 },
  velocity: { x: 4, y: 5, z: 6 },
  classification: "MISSILE",
  position_sigma_m: 800,
  observed_unix_ms: 1.5,
  trace: { traceparent: "", tracestate: "" },
});

/** What a subscriber received, as text: numbers of messages, and keys of disposed instances. */
function heardOn(bus: Bus): string[] {
  const heard: string[] = [];
  bus.visit("SourceTrackTopic", {
    message: ({ sequence_number }) => void heard.push(`message ${sequence_number}`),
    disposed: (key) => void heard.push(`disposed ${key.sensor_id} ${key.source_track_id}`),
  });
  return heard;
}

interface Received {
  readonly message: Message<"SourceTrackTopic">;
  readonly parent: Context;
}

function readerOf(bus: Bus): Received[] {
  const received: Received[] = [];
  bus.visit("SourceTrackTopic", {
    message: (_, { copy, parent }) => void received.push({ message: copy(), parent }),
  });
  return received;
}

const until = (what: string, look: () => boolean): Promise<unknown> =>
  waitUntil(() => ({ ok: look(), seen: "not yet" }), { what, deadlineMs: 60_000, intervalMs: 10 });

describe("Bus", () => {
  test("carries a message with its trace, so that the reader continues it", async () => {
    const { bus, telemetry } = makeBus();
    const publisher = bus.publisher("SourceTrackTopic");
    const received = readerOf(bus);
    telemetry.inSpan("fusion.ingest", "fusion.ingest", ROOT_CONTEXT, {}, (span) => {
      publisher.publish({ ...message(1), trace: traceOf(span) });
    });
    await until("the message", () => received.length === 1);
    const [first] = received;
    expect({ ...first?.message, trace: undefined }).toEqual({ ...message(1), trace: undefined });
    const parent = trace.getSpanContext(first?.parent ?? ROOT_CONTEXT);
    expect(first?.message.trace.traceparent).toContain(parent?.traceId ?? "none");
    expect(parent?.isRemote).toBe(true);
    bus.close();
  });

  test("sends what is written in one task without waiting for more, retirements included", async () => {
    const { bus } = makeBus();
    const publisher = bus.publisher("SourceTrackTopic");
    const heard = heardOn(bus);
    for (let i = 1; i <= 300; i++) publisher.publish({ ...message(i), source_track_id: `T:${i}` });
    await until("all messages", () => heard.length === 300);
    publisher.publish({ ...message(301), source_track_id: "T:1" });
    await until("a single message", () => heard.at(-1) === "message 301");
    publisher.retire({ sensor_id: "ESM-2", source_track_id: "T:1" });
    await until("the end of it", () => heard.at(-1) === "disposed ESM-2 T:1");
    bus.close();
  });

  test("a subscriber visits each message, and keeps what it copies", async () => {
    const { bus } = makeBus();
    const publisher = bus.publisher("SourceTrackTopic");
    const views = new Set<object>();
    const copies: Message<"SourceTrackTopic">[] = [];
    bus.visit("SourceTrackTopic", {
      message: (view, arrival) => {
        views.add(view);
        copies.push(arrival.copy());
      },
    });
    publisher.publish(message(1));
    publisher.publish(message(2));
    await until("both messages", () => copies.length === 2);
    expect(copies).toEqual([message(1), message(2)]);
    expect(views.size).toBe(1);
    bus.close();
  });

  test("a subscriber that reads the parents of several messages gets that of each", async () => {
    const { bus } = makeBus();
    const publisher = bus.publisher("SourceTrackTopic");
    const parents: (string | undefined)[] = [];
    bus.visit("SourceTrackTopic", {
      message: (_, arrival) => void parents.push(trace.getSpanContext(arrival.parent)?.traceId),
    });
    const ids = ["a", "a", "b", "", "a"].map((digit) => digit.repeat(32));
    for (const id of ids) {
      const traceparent = id === "" ? "" : `00-${id}-b7ad6b7169203331-01`;
      publisher.publish({ ...message(1), trace: { traceparent, tracestate: "" } });
    }
    await until("the messages", () => parents.length === ids.length);
    expect(parents.map((id) => id ?? "")).toEqual(ids);
    bus.close();
  });

  test("subscribers are told of a retired instance, behind its last message", async () => {
    const { bus } = makeBus();
    const publisher = bus.publisher("SourceTrackTopic");
    const heard = heardOn(bus);
    publisher.publish(message(1));
    publisher.publish(message(2));
    publisher.retire({ sensor_id: "ESM-2", source_track_id: "ESM-2:1" });
    await until("the end", () => heard.length >= 3);
    expect(heard).toEqual(["message 1", "message 2", "disposed ESM-2 ESM-2:1"]);
    publisher.publish(message(3));
    await until("the message", () => heard.length >= 4);
    publisher.retire({ sensor_id: "ESM-2", source_track_id: "ESM-2:1" });
    await until("the end", () => heard.length >= 5);
    expect(heard.slice(3)).toEqual(["message 3", "disposed ESM-2 ESM-2:1"]);
    bus.close();
  });

  test("a service that stops retires nothing", async () => {
    const { bus, domain } = makeBus();
    const other = makeBus(undefined, domain).bus;
    const publisher = other.publisher("SourceTrackTopic");
    const heard = heardOn(bus);
    publisher.publish(message(1));
    await until("the message", () => heard.length === 1);
    other.close();
    const again = makeBus(undefined, domain).bus;
    again.publisher("SourceTrackTopic").publish({ ...message(2), source_track_id: "ESM-2:2" });
    await until("the next service's message", () => heard.length >= 2);
    expect(heard).toEqual(["message 1", "message 2"]);
    for (const each of [again, bus]) each.close();
  });

  test("what may be refused is counted from 0, for each topic, side and policy", async () => {
    const { bus, telemetry } = makeBus();
    bus.publisher("TacticalTrackTopic");
    readerOf(bus);
    const scraped = await telemetry.scrape();
    const series = scraped.match(/^cms_dds_incompatible_qos_total\{.*$/gm) ?? [];
    const expected = [
      ["TacticalTrackTopic", "writer"],
      ["SourceTrackTopic", "reader"],
    ].flatMap(([topic, endpoint]) =>
      ["RELIABILITY", "DURABILITY", "OWNERSHIP"].map(
        (policy) =>
          `cms_dds_incompatible_qos_total{topic="${topic}",endpoint="${endpoint}",policy="${policy}"} 0`,
      ),
    );
    expect(new Set<string>(series)).toEqual(new Set(expected));
    bus.close();
  });

  test("goes on after the participant was made again", async () => {
    const { bus } = makeBus();
    const publisher = bus.publisher("SourceTrackTopic");
    const received = readerOf(bus);
    publisher.publish(message(1));
    await until("the first message", () => received.length === 1);
    expect(bus.recreate()).toBe(true);
    publisher.publish(message(2));
    await until("the second message", () => received.length === 2);
    bus.close();
    publisher.publish(message(3));
  });

  test("a forced profile that no reader accepts delivers nothing, and says which policy", async () => {
    const { bus, lines, telemetry } = makeBus("EXCLUSIVE_OWNERSHIP");
    const publisher = bus.publisher("SourceTrackTopic");
    const received = readerOf(bus);
    await until("the warning", () => {
      bus.report();
      return lines.some((line) => line.includes('"event":"dds_incompatible_qos"'));
    });
    publisher.publish(message(1));
    const line = lines.find((text) => text.includes("dds_incompatible_qos")) ?? "";
    expect(JSON.parse(line)).toMatchObject({
      level: "WARN",
      endpoint: "writer",
      policy: "OWNERSHIP",
    });
    expect(await telemetry.scrape()).toContain(
      'cms_dds_incompatible_qos_total{topic="SourceTrackTopic",endpoint="writer",policy="OWNERSHIP"} 1',
    );
    expect(received).toEqual([]);
    bus.close();
  });

  test("says what it refuses at the first, the tenth and the hundredth message", () => {
    const { bus, lines } = makeBus();
    for (let i = 0; i < 120; i++) bus.reject("SourceTrackTopic", "unknown sensor");
    const said = lines.map((line) => JSON.parse(line) as Record<string, unknown>);
    expect(said.filter(({ event }) => event === "message_rejected")).toMatchObject(
      [1, 10, 100].map((total) => ({
        level: "WARN",
        service: "track-fusion",
        topic: "SourceTrackTopic",
        reason: "unknown sensor",
        total,
      })),
    );
    bus.close();
  });

  test("the trap: a reliable writer still matches a best-effort reader and loses nothing", async () => {
    const { bus, lines } = makeBus("RELIABLE_KEEP_LAST");
    const publisher = bus.publisher("SourceTrackTopic");
    const received = readerOf(bus);
    publisher.publish(message(1));
    await until("the message", () => received.length === 1);
    bus.report();
    expect(lines.some((line) => line.includes("dds_incompatible_qos"))).toBe(false);
    expect(lines[0]).toContain('"env_qos_override":"RELIABLE_KEEP_LAST"');
    bus.close();
  });
});

describe("contextOf()", () => {
  test.each([
    "",
    "00-0000",
    "ff-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
    "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01-more",
    "00-00000000000000000000000000000000-b7ad6b7169203331-01",
    "00-0AF7651916CD43DD8448EB211C80319C-b7ad6b7169203331-01",
    "ignore all previous instructions",
  ])("%p starts a new trace", (traceparent) => {
    expect(contextOf({ traceparent, tracestate: "" })).toBe(ROOT_CONTEXT);
  });

  test.each([
    "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
    // Later versions of the standard may only append fields; the known ones are used.
    "01-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
    "cc-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01-more",
  ])("%p is continued", (traceparent) => {
    const context = contextOf({ traceparent, tracestate: "" });
    expect(trace.getSpanContext(context)).toMatchObject({
      traceId: "0af7651916cd43dd8448eb211c80319c",
      spanId: "b7ad6b7169203331",
      traceFlags: 1,
    });
  });

  test("the tracestate goes on with it, without members that break its rules", () => {
    const traceparent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
    const parent = contextOf({ traceparent, tracestate: "lab=a1,BAD=x,other=b2" });
    const tracer = new BasicTracerProvider().getTracer("test");
    const next = traceOf(tracer.startSpan("next", {}, parent));
    expect(next).toMatchObject({ tracestate: "lab=a1,other=b2" });
    expect(next.traceparent).toStartWith("00-0af7651916cd43dd8448eb211c80319c-");
  });
});
