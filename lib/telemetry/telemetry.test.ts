import { describe, expect, test } from "bun:test";
import { ROOT_CONTEXT, SpanKind, SpanStatusCode, trace, TraceFlags } from "@opentelemetry/api";
import type { ReadableSpan } from "@opentelemetry/sdk-trace-base";
import { waitUntil } from "../base/wait.ts";
import { spanNames } from "./spans.ts";
import { createTelemetry } from "./telemetry.ts";

const make = (service: Parameters<typeof createTelemetry>[0]["service"], lines: string[] = []) =>
  createTelemetry({
    service,
    env: { OTEL_SDK_DISABLED: "true" },
    write: (line) => void lines.push(line),
  });

describe("meters", () => {
  test("series with a closed set of labels exist as 0 from the start", async () => {
    const text = await make("track-fusion").scrape();
    expect(text).toContain('cms_fusion_contributors_changed_total{change="removed"} 0');
    expect(text).toContain('cms_fusion_ingested_total{sensor_id="ESM-2"} 0');
    expect(text).toContain('cms_fusion_processing_seconds_bucket{le="0.5"} 0');
    const sensor = await make("esm-sensor").scrape();
    expect(sensor).toContain('cms_sensor_published_total{sensor_id="ESM-2"} 0');
    expect(sensor).not.toContain("RADAR-1");
  });

  test("count, set and record show in the scrape", async () => {
    const { meters, scrape } = make("track-fusion");
    meters.counter("cms_fusion_ingested_total", { sensor_id: "EO-3" }).add(2);
    meters.gauge("cms_fusion_queue_depth").set(7);
    meters.histogram("cms_fusion_processing_seconds").record(0.003);
    const text = await scrape();
    expect(text).toContain('cms_fusion_ingested_total{sensor_id="EO-3"} 2');
    expect(text).toContain("cms_fusion_queue_depth 7");
    expect(text).toContain('cms_fusion_processing_seconds_bucket{le="0.005"} 1');
  });

  test("what is not declared cannot be emitted", () => {
    const { meters } = make("track-fusion");
    expect(() => meters.counter("cms_orders_issued_total", { action: "ENGAGE" })).toThrow(
      "it is not declared for track-fusion",
    );
    expect(() => meters.counter("cms_fusion_ingested_total")).toThrow(
      "its labels must be (sensor_id)",
    );
    expect(() => meters.counter("cms_fusion_ingested_total", { sensor_id: "X" })).toThrow(
      "sensor_id must be one of RADAR-1, ESM-2, EO-3, but is X",
    );
  });
});

describe("logger", () => {
  test("writes declared fields in declared order, and the trace of the active span", () => {
    const lines: string[] = [];
    const telemetry = make("track-fusion", lines);
    telemetry.inSpan("fusion.ingest", "fusion.ingest", ROOT_CONTEXT, {}, (span) => {
      telemetry.logger.log("fusion_queue_full_dropping", { dropped_total: 2, queue_depth: 1 });
      const line = JSON.parse(lines[0] ?? "") as Record<string, unknown>;
      expect(Object.keys(line)).toEqual([
        "time",
        "event",
        "level",
        "service",
        "queue_depth",
        "dropped_total",
        "trace_id",
        "span_id",
      ]);
      expect(line["trace_id"]).toBe(span.spanContext().traceId);
      expect(line["level"]).toBe("WARN");
    });
  });

  test("refuses what is not declared for the service", () => {
    const { logger } = make("track-fusion");
    expect(() => logger.log("http_starting", { port: 1 })).toThrow("not declared for track-fusion");
    expect(() => logger.log("signal_received", { signal: "x", other: 1 } as never)).toThrow(
      "other is not one of its fields",
    );
  });
});

describe("spans", () => {
  const telemetry = make("track-fusion");
  const start = (declared: string, name: string, attributes: object = {}) =>
    telemetry.startSpan(declared as never, name, ROOT_CONTEXT, attributes as never);

  test("are declared for the service", () => {
    expect(() => start("threat.evaluate", "threat.evaluate")).toThrow(
      "not declared for track-fusion",
    );
  });

  test("are called what the declaration stands for", () => {
    expect(() => start("fusion.ingest", "fusion.other")).toThrow("does not match fusion.other");
    const scan = (name: string) => () =>
      make("esm-sensor").startSpan("sensor.scan.<sensor_id>", name, ROOT_CONTEXT, {});
    expect(scan("sensor.scan.ESM-2")).not.toThrow();
    expect(scan("sensor.scan.X")).toThrow("does not match sensor.scan.X");
    expect(spanNames("display.ingest.<topic>")).toContain("display.ingest.MissionOrderTopic");
  });

  test("have their declared attributes alone, at the start and later", () => {
    expect(() => start("fusion.ingest", "fusion.ingest", { x: 1 })).toThrow("x is not one of");
    const span = start("fusion.ingest", "fusion.ingest", { "sensor.id": "EO-3" });
    expect(() => span.setAttribute("x", 1)).toThrow("x is not one of");
    expect(() => span.setAttributes({ x: 1 })).toThrow("x is not one of");
    span.setAttribute("tactical_track_id", "T-1");
    expect((span as unknown as ReadableSpan).attributes).toEqual({
      "sensor.id": "EO-3",
      tactical_track_id: "T-1",
      "messaging.system": "dds",
      "messaging.destination.name": "SourceTrackTopic",
      "messaging.operation.name": "process",
      "messaging.operation.type": "process",
    });
  });

  test.each([
    ["esm-sensor", "sensor.scan.<sensor_id>", "sensor.scan.ESM-2", "SourceTrackTopic", "send"],
    ["track-fusion", "publish <topic>", "publish TacticalTrackTopic", "TacticalTrackTopic", "send"],
    [
      "tactical-display",
      "display.ingest.<topic>",
      "display.ingest.MissionOrderTopic",
      "MissionOrderTopic",
      "process",
    ],
  ] as const)("of %s: %s stands at its end of a hop", (service, declared, name, topic, type) => {
    const span = make(service).startSpan(declared, name, ROOT_CONTEXT, {});
    const { kind, attributes } = span as unknown as ReadableSpan;
    expect(kind).toBe(type === "send" ? SpanKind.PRODUCER : SpanKind.CONSUMER);
    expect(attributes).toMatchObject({
      "messaging.destination.name": topic,
      "messaging.operation.type": type,
    });
  });

  test("record what is thrown inside them, and pass it on", () => {
    let span: ReadableSpan | undefined;
    const failing = (): void =>
      telemetry.inSpan("fusion.ingest", "fusion.ingest", ROOT_CONTEXT, {}, (own) => {
        span = own as unknown as ReadableSpan;
        throw new TypeError("a NaN");
      });
    expect(failing).toThrow("a NaN");
    expect(span?.status).toEqual({ code: SpanStatusCode.ERROR, message: "a NaN" });
    expect(span?.events).toMatchObject([
      {
        name: "exception",
        attributes: { "exception.type": "TypeError", "exception.message": "a NaN" },
      },
    ]);
    expect(span?.ended).toBe(true);
  });
});

test("what is said about export belongs to no span, though one was open when the batch was full", async () => {
  const lines: string[] = [];
  const telemetry = createTelemetry({
    service: "track-fusion",
    // Nothing listens on this reserved port.
    env: { OTEL_EXPORTER_OTLP_ENDPOINT: "http://127.0.0.1:1" },
    write: (line) => void lines.push(line),
  });
  const said = () => lines.map((line) => JSON.parse(line) as Record<string, unknown>);
  // A full batch is exported at once, in the context of the span that filled it.
  const one = (left: number): void =>
    telemetry.inSpan("fusion.ingest", "fusion.ingest", ROOT_CONTEXT, {}, () => {
      if (left > 0) one(left - 1);
    });
  one(600);
  await waitUntil(
    () => ({
      ok: said().some(({ event }) => event === "telemetry_export_failing"),
      seen: `${lines.length} lines`,
    }),
    { what: "the failure to be said", deadlineMs: 60_000, intervalMs: 20 },
  );
  expect(said().filter((line) => "trace_id" in line)).toEqual([]);
  await telemetry.shutdown();
});

test("a bad OTEL variable is an error, never a default", () => {
  const env = { OTEL_EXPORTER_OTLP_ENDPOINT: "nowhere" };
  expect(() => createTelemetry({ service: "eo-sensor", env })).toThrow(
    'Cannot use OTEL_EXPORTER_OTLP_ENDPOINT: it must be an http:// or https:// URL, but is "nowhere"',
  );
});

test("below an unsampled span nothing is recorded, and the trace goes on as it is", () => {
  const telemetry = make("track-fusion");
  const above = {
    traceId: "0af7651916cd43dd8448eb211c80319c",
    spanId: "b7ad6b7169203331",
    traceFlags: TraceFlags.NONE,
    isRemote: true,
  };
  const parent = trace.setSpanContext(ROOT_CONTEXT, above);
  const span = telemetry.startSpan("fusion.ingest", "fusion.ingest", parent, {});
  expect(span.isRecording()).toBe(false);
  expect(span.spanContext()).toEqual(above);
  const sampled = trace.setSpanContext(ROOT_CONTEXT, { ...above, traceFlags: TraceFlags.SAMPLED });
  const other = telemetry.startSpan("fusion.ingest", "fusion.ingest", sampled, {});
  expect(other.isRecording()).toBe(true);
});
