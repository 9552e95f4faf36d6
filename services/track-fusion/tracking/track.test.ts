import { describe, expect, test } from "bun:test";
import { createPrng } from "../../../lib/base/prng.ts";
import type { Measurement } from "./kalman.ts";
import { MAX_LAG_MS, Track } from "./track.ts";

const prng = createPrng(9);
const seen = (timeMs: number, sensorId = "RADAR-1"): Measurement => ({
  sensorId,
  timeMs,
  position: { x: timeMs * 0.2 + prng.gaussian() * 50, y: prng.gaussian() * 50, z: 5000 },
  positionSigmaM: 50,
  velocity: { x: 200 + prng.gaussian() * 5, y: prng.gaussian() * 5, z: 0 },
  velocitySigmaMps: 5,
  classification: "UNKNOWN",
});

function trackOf([first, ...others]: readonly Measurement[]): Track {
  if (first === undefined) throw new Error("a track begins with a measurement");
  const track = new Track(first, 0);
  for (const measurement of others) track.take(measurement);
  return track;
}

describe("Track", () => {
  test("ends in the same state in whatever order measurements arrive", () => {
    const inOrder = Array.from({ length: 30 }, (_, i) => seen(i * 100));
    const [first, ...others] = inOrder;
    const shuffled = others
      .map((measurement) => ({ measurement, key: prng.next() }))
      .toSorted((a, b) => a.key - b.key)
      .map(({ measurement }) => measurement);
    if (first === undefined) throw new Error("a measurement");
    expect(trackOf([first, ...shuffled]).newest).toEqual(trackOf(inOrder).newest);
  });

  test("carries the time of its newest observation, whatever came last", () => {
    const track = trackOf([seen(0), seen(1000), seen(500)]);
    expect(track.newest.timeMs).toBe(1000);
    expect(track.hits).toBe(3);
  });

  test("predicts forwards, between its measurements, and backwards", () => {
    const track = trackOf([seen(1000), seen(2000)]);
    const { newest } = track;
    expect(track.at(3000).position.x).toBeCloseTo(newest.position.x + newest.velocity.x, 6);
    expect(track.at(3000).pp).toBeGreaterThan(newest.pp);
    expect(track.at(1000).timeMs).toBe(1000);
    expect(track.at(500).position.x).toBeCloseTo(100, -3);
    expect(track.at(500).pp).toBeGreaterThan(track.at(1000).pp);
  });

  test("refuses what is older than its memory, and changes nothing", () => {
    const track = trackOf(Array.from({ length: 100 }, (_, i) => seen(i * 100)));
    const before = track.newest;
    expect(track.take(seen(1000))).toBeUndefined();
    expect(track.newest).toBe(before);
    expect(track.hits).toBe(100);
  });

  test("begins earlier when its first measurement was not the first", () => {
    const [first, second, third] = [seen(0), seen(100), seen(200)];
    const track = trackOf([second, third]);
    expect(track.take(first)).toHaveLength(2);
    expect(track.history()).toEqual(trackOf([first, second, third]).history());
  });

  test("tells which earlier states a late measurement corrected", () => {
    const track = trackOf([seen(0), seen(100), seen(200), seen(300)]);
    const history = track.history();
    expect(track.take(seen(400))).toEqual([]);
    const changed = track.take(seen(150)) ?? [];
    expect(changed.map(({ timeMs }) => timeMs)).toEqual([150, 200, 300]);
    expect(changed[1]).not.toEqual(history[2]);
  });

  test("remembers what lies within the lag, and its memory is bounded", () => {
    const track = trackOf(Array.from({ length: 2000 }, (_, i) => seen(i * 100)));
    const newestMs = 1999 * 100;
    expect(track.take(seen(newestMs - MAX_LAG_MS))).toBeDefined();
    expect(track.take(seen(newestMs - 2 * MAX_LAG_MS))).toBeUndefined();
    // At 200 Hz the memory covers fewer seconds.
    const fast = trackOf(Array.from({ length: 2000 }, (_, i) => seen(i * 5)));
    expect(fast.take(seen(1999 * 5 - 1000))).toBeDefined();
    expect(fast.take(seen(1999 * 5 - 1500))).toBeUndefined();
  });

  test("knows whether it has a measurement of a scan", () => {
    const track = trackOf([seen(0), seen(100), seen(100, "ESM-2"), seen(200)]);
    expect(track.hasOf("RADAR-1", 100)).toBe(true);
    expect(track.hasOf("ESM-2", 100)).toBe(true);
    expect(track.hasOf("ESM-2", 200)).toBe(false);
    expect(track.hasOf("RADAR-1", 50)).toBe(false);
  });
});
