import { expect, test } from "bun:test";
import { type DataPoint, MeterProvider, MetricReader } from "@opentelemetry/sdk-metrics";
import { Meters } from "./meters.ts";

/** A reader that pushes on request. */
class Pushes extends MetricReader {
  protected onForceFlush(): Promise<void> {
    return Promise.resolve();
  }

  protected onShutdown(): Promise<void> {
    return Promise.resolve();
  }

  /** Values by metric and labels. */
  async push(): Promise<Record<string, unknown>> {
    const { resourceMetrics } = await this.collect();
    const metrics = resourceMetrics.scopeMetrics.flatMap((scope) => scope.metrics);
    return Object.fromEntries(
      metrics.flatMap(({ descriptor, dataPoints }) =>
        (dataPoints as DataPoint<unknown>[]).map(({ attributes, value }) => [
          `${descriptor.name} ${Object.values(attributes).join()}`.trim(),
          value,
        ]),
      ),
    );
  }
}

function setUp() {
  const pushes = new Pushes();
  const meters = new Meters(
    "track-fusion",
    new MeterProvider({ readers: [pushes] }).getMeter("cms"),
  );
  return { meters, pushes };
}

test("counters are pushed as their sums so far, whether or not they grew since the last time", async () => {
  const { meters, pushes } = setUp();
  meters.counter("cms_fusion_ingested_total", { sensor_id: "EO-3" }).add(2);
  meters.counter("cms_fusion_ingested_total", { sensor_id: "ESM-2" }).add(0);
  const first = { "cms_fusion_ingested_total EO-3": 2, "cms_fusion_ingested_total ESM-2": 0 };
  expect(await pushes.push()).toEqual(first);
  expect(await pushes.push()).toEqual(first);
  meters.counter("cms_fusion_ingested_total", { sensor_id: "EO-3" }).add(3);
  expect(await pushes.push()).toMatchObject({ "cms_fusion_ingested_total EO-3": 5 });
});

test("gauges are pushed as they were last set, and not before they were set at all", async () => {
  const { meters, pushes } = setUp();
  const depth = meters.gauge("cms_fusion_queue_depth");
  expect(await pushes.push()).toEqual({});
  depth.set(7);
  depth.set(3);
  expect(await pushes.push()).toEqual({ cms_fusion_queue_depth: 3 });
});

test("histograms are pushed with what was recorded", async () => {
  const { meters, pushes } = setUp();
  meters.histogram("cms_fusion_processing_seconds").record(0.003);
  expect(await pushes.push()).toMatchObject({
    cms_fusion_processing_seconds: { count: 1, sum: 0.003 },
  });
});
