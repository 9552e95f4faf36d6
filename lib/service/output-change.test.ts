import { describe, expect, test } from "bun:test";
import { OUTPUT_CHANGE_NAMES, OUTPUT_CHANGES } from "../contract/hooks.ts";
import { changeOutput } from "./output-change.ts";
import { readSettings } from "./settings.ts";

const SOURCE = {
  sensor_id: "ESM-2",
  source_track_id: "ESM-2:1",
  position: { x: 1, y: 2, z: 3 },
  classification: "AIRCRAFT",
  observed_unix_ms: 10_000,
};

/** What becomes of messages; what is due later is done at the end. */
function written(spec: string, messages: readonly object[] = [SOURCE]) {
  const change = readSettings({ CMS_OUTPUT: spec }).output;
  if (change === undefined) throw new Error("no change was read");
  const out: Record<string, unknown>[] = [];
  const later: { readonly delayMs: number; readonly action: () => void }[] = [];
  const write = changeOutput(change, (delayMs, action) => later.push({ delayMs, action }));
  for (const message of messages) write(message, (one) => void out.push({ ...one }));
  const atOnce = out.length;
  for (const { action } of later) action();
  return { out, atOnce, delays: later.map(({ delayMs }) => delayMs) };
}

describe("CMS_OUTPUT", () => {
  test.each([
    ["position_offset:2000", { position: { x: 2001, y: 2, z: 3 } }],
    ["not_a_number:1", { position: { x: Number.NaN, y: Number.NaN, z: Number.NaN } }],
    ["misclassified:1", { classification: "MISSILE" }],
    ["time_offset:-5", { observed_unix_ms: 5000 }],
    ["foreign_sensor:0", { sensor_id: "RADAR-1" }],
  ])("%s changes the message, and nothing else in it", (spec, changed) => {
    expect(written(spec).out).toEqual([{ ...SOURCE, ...changed }]);
  });

  test("noise has the standard deviation that is asked for", () => {
    const { out } = written(
      "position_noise:500",
      Array.from({ length: 4000 }, () => SOURCE),
    );
    const squares = out.map(({ position }) => ((position as { x: number }).x - 1) ** 2);
    const sigma = Math.sqrt(squares.reduce((sum, one) => sum + one, 0) / squares.length);
    expect(sigma / 500).toBeCloseTo(1, 1);
  });

  test("a held position is the first one of each track", () => {
    const other = { ...SOURCE, source_track_id: "ESM-2:2", position: { x: 9, y: 9, z: 9 } };
    const later = { ...SOURCE, position: { x: 7, y: 7, z: 7 } };
    const { out } = written("position_held:1", [SOURCE, other, later]);
    expect(out.map(({ position }) => position)).toEqual([
      SOURCE.position,
      other.position,
      SOURCE.position,
    ]);
  });

  test("garbled messages come from no sensor and from nowhere", () => {
    const [first] = written("garbled:1").out;
    expect(first?.["sensor_id"]).not.toBe("ESM-2");
    expect(first?.["position"]).not.toEqual(SOURCE.position);
  });

  test("a share of the messages is dropped, the rest goes unchanged", () => {
    const { out } = written(
      "dropped:0.25",
      Array.from({ length: 4000 }, () => SOURCE),
    );
    expect(out.length / 4000).toBeCloseTo(0.75, 1);
    expect(out[0]).toEqual(SOURCE);
    expect(written("dropped:1").out).toEqual([]);
  });

  test("a delayed message is a copy that goes later", () => {
    const { out, atOnce, delays } = written("delayed:1.5");
    expect([atOnce, delays, out]).toEqual([0, [1500], [SOURCE]]);
  });

  test("copies come on top of the message", () => {
    expect(written("repeated:3").out).toHaveLength(4);
  });

  test("a message without the field stays as it is", () => {
    const order = { order_id: "ORD-1", issued_unix_ms: 5 };
    const timed = new Set(["time_offset", "dropped", "repeated"]);
    for (const name of OUTPUT_CHANGE_NAMES.filter((one) => !timed.has(one))) {
      expect(written(`${name}:1`, [order]).out).toEqual([order]);
    }
  });

  test.each([
    ["shrunk:1", `one of ${OUTPUT_CHANGE_NAMES.join(", ")}`],
    ["dropped", "<change>:<amount>"],
    ["dropped:2", "a number of share of the messages from 0.01 to 1"],
    ["repeated:0", "a number of further copies from 1 to 1000"],
  ])("refuses %s", (spec, rule) => {
    expect(() => readSettings({ CMS_OUTPUT: spec })).toThrow(rule);
  });

  test("every change has a range", () => {
    for (const { min, max } of Object.values(OUTPUT_CHANGES)) expect(min).toBeLessThan(max);
  });
});
