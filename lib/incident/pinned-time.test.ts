import { describe, expect, test } from "bun:test";
import { ManualClock } from "../base/clock.ts";
import { type PinnedApi, parseTime, PinnedTime } from "./pinned-time.ts";

/** 2026-01-01T00:00:00.500Z. */
const FROZEN_MS = 1_767_225_600_500;
const FROZEN_S = "1767225600.500";
const FROZEN_NS = "1767225600500000000";
/** The agent's clock is an hour later. */
const LATER_MS = FROZEN_MS + 3_600_000;
const pinned = new PinnedTime(FROZEN_MS, new ManualClock(LATER_MS));
const seconds = (ms: number): string => (ms / 1000).toFixed(3);
const nanoseconds = (ms: number): string => `${ms}000000`;

const pin = (api: PinnedApi, path: string, params: Record<string, string>): object =>
  Object.fromEntries(pinned.pin(api, path, new URLSearchParams(params)));

describe("parseTime()", () => {
  const now = 1_767_225_600_500_000_000n;
  test.each([
    ["1767225600", 1_767_225_600_000_000_000n],
    ["1767225600.5", now],
    ["1767225600.123456789", 1_767_225_600_123_456_789n],
    ["1767225600500", now],
    ["1767225600500000", now],
    ["1767225600500000000", now],
    ["1.7672256e9", 1_767_225_600_000_000_000n],
    ["0", 0n],
    ["2026-01-01T00:00:00.5Z", now],
    ["2026-01-01T01:00:00.500+01:00", now],
    ["2026-01-01t00:00:00z", 1_767_225_600_000_000_000n],
    ["2026-01-01T00:00:00.123456789Z", 1_767_225_600_123_456_789n],
    ["now", now],
    ["now-15m", now - 900_000_000_000n],
    ["now+1h", now + 3_600_000_000_000n],
  ])("%s", (text, ns) => {
    expect(parseTime(text, now)).toBe(ns);
  });

  test.each([
    "",
    "yesterday",
    "-5",
    "1767225600abc",
    "2026-01-01",
    "now-",
    "now-15",
    "NaN",
    "0x10",
  ])("%p is no time", (text) => {
    expect(parseTime(text, now)).toBeUndefined();
  });
});

describe("an instant", () => {
  test("that is not named is the moment of the freeze", () => {
    expect(pin("prometheus", "/api/v1/query", { query: "time()" })).toEqual({
      query: "time()",
      time: FROZEN_S,
    });
    expect(pin("loki", "/loki/api/v1/query", { query: "q" })).toEqual({
      query: "q",
      time: FROZEN_NS,
    });
  });

  test("after the freeze is the freeze; one before stays as it was written", () => {
    const at = (time: string) => pin("prometheus", "/api/v1/query", { time });
    expect(at(String(LATER_MS / 1000))).toEqual({ time: FROZEN_S });
    expect(at("1767225599.25")).toEqual({ time: "1767225599.25" });
    expect(at("2025-12-31T23:59:59Z")).toEqual({ time: "2025-12-31T23:59:59Z" });
    expect(at("1767225599250")).toEqual({ time: "1767225599.250" });
    expect(at("now-1s")).toEqual({ time: "1767225599.500" });
  });

  test("that nobody can read is left to the engine, which refuses it", () => {
    expect(pin("prometheus", "/api/v1/query", { time: "soon" })).toEqual({ time: "soon" });
  });
});

describe("a window", () => {
  const range = (start: string, end: string) =>
    pin("prometheus", "/api/v1/query_range", { start, end, step: "5" });

  test("wholly after the freeze is moved back, its length kept", () => {
    expect(range(String((LATER_MS - 900_000) / 1000), String(LATER_MS / 1000))).toEqual({
      start: seconds(FROZEN_MS - 900_000),
      end: FROZEN_S,
      step: "5",
    });
    expect(
      pin("loki", "/loki/api/v1/query_range", {
        start: nanoseconds(LATER_MS - 900_000),
        end: nanoseconds(LATER_MS),
      }),
    ).toEqual({ start: nanoseconds(FROZEN_MS - 900_000), end: FROZEN_NS });
    expect(
      pin("tempo", "/api/search", {
        q: "{}",
        start: String(Math.floor(LATER_MS / 1000) - 60),
        end: String(Math.floor(LATER_MS / 1000)),
      }),
    ).toEqual({ q: "{}", start: nanoseconds(FROZEN_MS - 60_000), end: FROZEN_NS });
    expect(
      pin("grafana", "/api/annotations", {
        from: String(LATER_MS - 1000),
        to: String(LATER_MS),
      }),
    ).toEqual({ from: String(FROZEN_MS - 1000), to: String(FROZEN_MS) });
  });

  test("that ends after the freeze is cut", () => {
    expect(range("1767225000", String(LATER_MS / 1000))).toEqual({
      start: "1767225000",
      end: FROZEN_S,
      step: "5",
    });
  });

  test("before the freeze stays as it was written", () => {
    expect(range("1767225000", "1767225600")).toEqual({
      start: "1767225000",
      end: "1767225600",
      step: "5",
    });
  });

  test("with a start alone lasts until now: who asks later gets as long a time before the freeze", () => {
    const from = (start: string) => pin("loki", "/loki/api/v1/labels", { start });
    expect(from(nanoseconds(LATER_MS - 60_000))).toEqual({
      start: nanoseconds(FROZEN_MS - 60_000),
      end: FROZEN_NS,
    });
    expect(from("1767225000")).toEqual({ start: "1767225000", end: FROZEN_NS });
  });

  test("by `since` and an end after the freeze ends at the freeze; without a time the pinned server decides", () => {
    expect(
      pin("loki", "/loki/api/v1/query_range", { since: "15m", end: nanoseconds(LATER_MS) }),
    ).toEqual({ since: "15m", end: FROZEN_NS });
    expect(pin("loki", "/loki/api/v1/query_range", { since: "15m" })).toEqual({ since: "15m" });
    expect(pin("prometheus", "/api/v1/labels", {})).toEqual({});
  });

  test("in Grafana's words counts from the freeze", () => {
    expect(pin("loki", "/loki/api/v1/query_range", { start: "now-1h", end: "now" })).toEqual({
      start: nanoseconds(FROZEN_MS - 3_600_000),
      end: FROZEN_NS,
    });
    expect(pin("grafana", "/api/annotations", { from: "now-1h", to: "now" })).toEqual({
      from: String(FROZEN_MS - 3_600_000),
      to: String(FROZEN_MS),
    });
  });

  test("that is the wrong way round stays so, for the engine to refuse", () => {
    const { start, end } = range(String(LATER_MS / 1000), String(LATER_MS / 1000 - 60)) as {
      start: string;
      end: string;
    };
    expect(Number(start)).toBeGreaterThan(Number(end));
  });
});

test("pinning twice is pinning once; other parameters and their order stay", () => {
  const asked = new URLSearchParams("match[]=up&match[]=a%7Bb%3D%22c%22%7D&start=1&end=9999999999");
  const once = pinned.pin("prometheus", "/api/v1/series", asked);
  expect(once.getAll("match[]")).toEqual(["up", 'a{b="c"}']);
  expect(String(pinned.pin("prometheus", "/api/v1/series", once))).toBe(String(once));
});
