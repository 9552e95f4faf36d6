import { expect, test } from "bun:test";
import type { Call, Fact, Toolbox } from "../toolbox.ts";
import { findOddities, originOf } from "./unexplained.ts";

const fact = (signal: string, service: string, value: number, when: string, sensor?: string) =>
  ({
    signal,
    service,
    labels: sensor === undefined ? {} : { sensor_id: sensor },
    value,
    when,
  }) as Fact;

const compared = (...facts: readonly Fact[]): Call[] => [
  { id: "E3", tool: "compare", ok: true, facts, error: null },
];

/** Tools that return one value: the rate of the last seconds. */
function toolsWith(recent: number | undefined, asked: string[] = []): Toolbox {
  return {
    names: [],
    records: [],
    call: (tool, { query }) => {
      asked.push(String(query));
      const isRate = String(query).startsWith("sum(rate(");
      const facts = isRate && recent !== undefined ? [fact("x", "eo-sensor", recent, "now")] : [];
      return Promise.resolve({ id: "E9", tool, ok: true, facts, error: null });
    },
  };
}

const PUBLISHED = "cms_sensor_published_total";
const INGESTED = "cms_fusion_ingested_total";

test("a flow that changed threefold is out of order, and tells of its sender", async () => {
  const asked: string[] = [];
  const calls = compared(
    fact(INGESTED, "track-fusion", 28.5, "before", "RADAR-1"),
    fact(INGESTED, "track-fusion", 1.4, "during", "RADAR-1"),
    fact(INGESTED, "track-fusion", 13.5, "before", "ESM-2"),
    fact(INGESTED, "track-fusion", 12.9, "during", "ESM-2"),
  );
  const oddities = await findOddities(calls, toolsWith(1.4, asked));
  expect(oddities.map(({ service }) => service)).toEqual(["radar-sensor"]);
  expect(oddities[0]?.text).toBe(
    "cms_fusion_ingested_total of track-fusion went from 28.5 to 1.4 per second",
  );
  expect(oddities[0]?.citation).toMatchObject({ call_id: "E3", service: "track-fusion" });
  expect(asked.join("\n")).toContain('sensor_id="RADAR-1"}[15s]');
});

test("a flow that has recovered within the half minute is in order", async () => {
  const calls = compared(
    fact(PUBLISHED, "eo-sensor", 4.2, "before", "EO-3"),
    fact(PUBLISHED, "eo-sensor", 1.1, "during", "EO-3"),
  );
  expect(await findOddities(calls, toolsWith(4.1))).toEqual([]);
  expect(await findOddities(calls, toolsWith(0.9))).toHaveLength(1);
  expect(await findOddities(calls, toolsWith(undefined))).toHaveLength(1);
});

test("a flow that rose from the system's start-up to its nominal rate is in order", async () => {
  const calls = compared(
    fact(PUBLISHED, "radar-sensor", 3.98, "before", "RADAR-1"),
    fact(PUBLISHED, "radar-sensor", 28.4, "during", "RADAR-1"),
    fact("cms_display_received_total", "tactical-display", 30, "before"),
    fact("cms_display_received_total", "tactical-display", 150, "during"),
  );
  expect(await findOddities(calls, toolsWith(28.4))).toEqual([]);
});

test("one that rose to many times its nominal rate is not", async () => {
  const calls = compared(
    fact(PUBLISHED, "radar-sensor", 28.5, "before", "RADAR-1"),
    fact(PUBLISHED, "radar-sensor", 95, "during", "RADAR-1"),
    fact("cms_fusion_published_total", "track-fusion", 46, "before"),
    fact("cms_fusion_published_total", "track-fusion", 180, "during"),
  );
  const found = await findOddities(calls, toolsWith(180));
  expect(found.map(({ service }) => service)).toEqual(["radar-sensor", "track-fusion"]);
});

test("what flows slower than the norm says nothing, nor does a counter of something else", async () => {
  const calls = compared(
    fact("cms_display_received_total", "tactical-display", 0.3, "before"),
    fact("cms_display_received_total", "tactical-display", 0.9, "during"),
    fact("cms_threat_level_transitions_total", "threat-evaluator", 0, "before"),
    fact("cms_threat_level_transitions_total", "threat-evaluator", 9, "during"),
  );
  expect(await findOddities(calls, toolsWith(50))).toEqual([]);
});

test("an anomaly begins where nothing upstream is out of order", () => {
  const odd = (service: string) => ({ service, text: "", citation: {} }) as never;
  expect(originOf([odd("track-fusion"), odd("radar-sensor"), odd("command-center")])).toBe(
    "radar-sensor",
  );
  expect(originOf([odd("radar-sensor"), odd("esm-sensor")])).toBeNull();
  expect(originOf([])).toBeNull();
});
