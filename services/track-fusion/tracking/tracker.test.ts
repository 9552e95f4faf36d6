import { describe, expect, test } from "bun:test";
import { createPrng } from "../../../lib/base/prng.ts";
import { modelOf, scan } from "../../../lib/cms/sensor/model.ts";
import { makeTargets } from "../../../lib/cms/trajectory.ts";
import { DEFAULT_FLEET } from "../../../lib/contract/fleet.ts";
import { SENSOR_IDS } from "../../../lib/contract/topology.ts";
import { CONTRIBUTOR_WINDOW_MS } from "./contributors.ts";
import type { Measurement } from "./kalman.ts";
import { CONFIRM_HITS, CONFIRM_SCANS, TRACK_TIMEOUT_MS, Tracker, type Update } from "./tracker.ts";

const START_MS = Date.UTC(2026, 0, 1);
const TARGETS = makeTargets(DEFAULT_FLEET);

const at = (x: number, timeMs: number, fields: Partial<Measurement> = {}): Measurement => ({
  sensorId: "RADAR-1",
  timeMs,
  position: { x, y: 0, z: 5000 },
  positionSigmaM: 50,
  velocity: { x: 100, y: 0, z: 0 },
  velocitySigmaMps: 5,
  classification: "UNKNOWN",
  ...fields,
});

function take(tracker: Tracker, ...measurements: Measurement[]): (Update | undefined)[] {
  const [{ sensorId, timeMs } = at(0, 0)] = measurements;
  return tracker.take({ sensorId, timeMs, measurements, items: [] });
}

/** A track at x = 0 that is confirmed at 200 ms, and its id. */
function confirmed(tracker: Tracker): string {
  take(tracker, at(-20, 0));
  take(tracker, at(-10, 100));
  return take(tracker, at(0, 200))[0]?.track.track_id ?? "";
}

/** Runs the usual sensors against a tracker, scan by scan in order of time. */
function simulate(
  tracker: Tracker,
  durationMs: number,
  seed: number,
  isOn: (sensor: string, atMs: number) => boolean = () => true,
) {
  const prng = createPrng(seed);
  const seen = { removed: 0, added: 0, fewest: Infinity, most: 0, ids: new Set<string>() };
  const sensors = SENSOR_IDS.map((id) => ({ model: modelOf(id), n: 0, prng: prng.child(id) }));
  for (;;) {
    const next = sensors.reduce((a, b) => (a.n / a.model.rateHz <= b.n / b.model.rateHz ? a : b));
    const atMs = (next.n++ * 1000) / next.model.rateHz;
    if (atMs > durationMs) return seen;
    if (!isOn(next.model.sensorId, atMs)) continue;
    const { detections } = scan(next.model, TARGETS, START_MS + atMs, next.prng);
    if (detections.length === 0) continue;
    const measurements = detections.map((detection) => ({
      sensorId: detection.sensor_id,
      timeMs: detection.observed_unix_ms,
      position: detection.position,
      positionSigmaM: detection.position_sigma_m,
      velocity: detection.velocity,
      velocitySigmaMps: next.model.velocitySigmaMps,
      classification: detection.classification,
    }));
    for (const update of take(tracker, ...measurements)) {
      if (update === undefined) continue;
      seen.ids.add(update.track.track_id);
      seen.removed += update.change?.removed.length ?? 0;
      seen.added += update.change?.added.length ?? 0;
    }
    if (atMs > 2000) {
      seen.fewest = Math.min(seen.fewest, tracker.size);
      seen.most = Math.max(seen.most, tracker.size);
    }
  }
}

describe("a healthy system", () => {
  test("has exactly three tracks and nine contributors, for hours", () => {
    const seen = simulate(new Tracker("A"), 6 * 3_600_000, 11);
    expect(seen).toMatchObject({ fewest: 3, most: 3, removed: 0, added: 9 });
    expect(seen.ids.size).toBe(3);
  }, 120_000);

  test("drops a silent sensor from the contributors of every track, and takes it back", () => {
    const silent = (sensor: string, atMs: number): boolean =>
      sensor !== "ESM-2" || atMs < 20_000 || atMs > 40_000;
    const seen = simulate(new Tracker("A"), 60_000, 3, silent);
    expect(seen).toMatchObject({ removed: 3, added: 9 + 3, fewest: 3, most: 3 });
  });

  test("loses EO-3 from a track less than once a month by missed detections", () => {
    const { detectionProbability, rateHz } = modelOf("EO-3");
    const missesInARow = (CONTRIBUTOR_WINDOW_MS / 1000) * rateHz;
    const scansInAMonth = 30 * 86_400 * rateHz * 3;
    expect((1 - detectionProbability) ** missesInARow * scansInAMonth).toBeLessThan(1);
  });
});

describe("confirmation", () => {
  test("a target is reported from its third detection on", () => {
    const tracker = new Tracker("A");
    expect(take(tracker, at(0, 0))).toEqual([undefined]);
    expect(take(tracker, at(10, 100))).toEqual([undefined]);
    expect(tracker.size).toBe(0);
    expect(take(tracker, at(20, 200))[0]?.track).toMatchObject({ updates: CONFIRM_HITS });
    expect(tracker.size).toBe(1);
  });

  test("detections that are too far apart in scans do not confirm", () => {
    const tracker = new Tracker("A");
    // Another sensor detects other targets all the time; RADAR-1's target is detected in every
    // fourth scan.
    let reported = 0;
    for (let n = 0; n < 40; n++) {
      take(tracker, at(50_000 + n * 10, n * 100, { sensorId: "RADAR-2" }));
      const isSeen = n % CONFIRM_SCANS === 0;
      if (isSeen) reported += take(tracker, at(n * 10, n * 100 + 1)).filter(Boolean).length;
    }
    expect(reported).toBe(0);
    expect(tracker.size).toBe(1);
  });

  test("one false alarm never becomes a track", () => {
    const tracker = new Tracker("A");
    confirmed(tracker);
    take(tracker, at(10, 300), at(30_000, 300));
    for (let n = 4; n < 40; n++) take(tracker, at(-20 + n * 10, n * 100));
    expect(tracker.size).toBe(1);
  });
});

describe("assignment of a scan", () => {
  test("two targets 300 m apart stay two tracks", () => {
    const tracker = new Tracker("A");
    const ids = new Set<string>();
    for (let n = 0; n < 50; n++) {
      const updates = take(tracker, at(n * 10, n * 100), at(n * 10 + 300, n * 100));
      for (const update of updates) if (update !== undefined) ids.add(update.track.track_id);
    }
    expect([tracker.size, ids.size]).toEqual([2, 2]);
  });

  test("the second part of a scan does not update a track twice", () => {
    const tracker = new Tracker("A");
    confirmed(tracker);
    const [first] = take(tracker, at(10, 300));
    const [second] = take(tracker, at(12, 300));
    expect(first).toBeDefined();
    expect(second).toBeUndefined();
  });

  test("a NaN's neighbour is not split: what is outside of the gate begins a track of its own", () => {
    const tracker = new Tracker("A");
    confirmed(tracker);
    expect(take(tracker, at(5000, 300))).toEqual([undefined]);
    expect(take(tracker, at(20, 400))[0]).toBeDefined();
    expect(tracker.size).toBe(1);
  });
});

describe("time", () => {
  test("a track carries the time of observation, whenever it is processed", () => {
    const tracker = new Tracker("A");
    confirmed(tracker);
    expect(take(tracker, at(10, 300))[0]?.track.updated_unix_ms).toBe(300);
    // A scan out of sequence does not move the track in time.
    const late = take(tracker, at(5, 250, { sensorId: "EO-3" }))[0]?.track;
    expect(late).toMatchObject({ updated_unix_ms: 300, contributing_sensors: ["EO-3", "RADAR-1"] });
  });

  test("says what is too old: more than the lag behind the newest", () => {
    const tracker = new Tracker("A");
    confirmed(tracker);
    expect([tracker.isTooOld(200 - 5000), tracker.isTooOld(200 - 5001)]).toEqual([false, true]);
  });

  test("a late scan from before a track's first one does not begin a second track", () => {
    const tracker = new Tracker("A");
    confirmed(tracker);
    for (const timeMs of [-400, -300, -200, -100]) {
      take(tracker, at(-20 + timeMs / 10, timeMs, { sensorId: "EO-3" }));
    }
    expect(tracker.size).toBe(1);
  });
});

describe("deletion", () => {
  test("a track that nothing updates ends after a while of observation", () => {
    const tracker = new Tracker("A");
    const id = confirmed(tracker);
    tracker.expire(200 + TRACK_TIMEOUT_MS);
    expect(tracker.takeEnded()).toEqual([]);
    tracker.expire(201 + TRACK_TIMEOUT_MS);
    expect(tracker.takeEnded()).toEqual([id]);
    expect(tracker.takeEnded()).toEqual([]);
    expect(tracker.size).toBe(0);
  });

  test("a track that scans keep missing ends sooner", () => {
    const tracker = new Tracker("A");
    const id = confirmed(tracker);
    const endedMs = [];
    for (let n = 3; n < 60; n++) {
      take(tracker, at(80_000 + n * 10, n * 100));
      if (tracker.takeEnded().includes(id)) endedMs.push(n * 100);
    }
    expect(endedMs).toHaveLength(1);
    expect(endedMs[0]).toBeGreaterThanOrEqual(3000);
    expect(endedMs[0]).toBeLessThan(200 + TRACK_TIMEOUT_MS);
  });

  test("a track whose place is too uncertain ends, before it times out", () => {
    const tracker = new Tracker("A");
    const vague = { velocity: undefined, positionSigmaM: 4000 };
    for (let n = 0; n < 3; n++) take(tracker, at(n * 400, n * 4000, vague));
    expect(tracker.size).toBe(1);
    tracker.expire(8000 + 4 * 4000);
    expect(tracker.size).toBe(0);
  });

  test("with a slow sensor a track waits for eight of its scans", () => {
    const tracker = new Tracker("A");
    for (let n = 0; n < 3; n++) take(tracker, at(n * 400, n * 4000));
    expect(tracker.size).toBe(1);
    tracker.expire(8000 + 4 * 4000);
    expect(tracker.size).toBe(1);
    tracker.expire(8000 + 8 * 4000 + 1);
    expect(tracker.size).toBe(0);
  });
});

test("ids count from 1 within a series; another series shares none of them", () => {
  expect(confirmed(new Tracker("MBX1"))).toBe("TT-MBX1-0001");
  expect(confirmed(new Tracker("MBX2"))).toBe("TT-MBX2-0001");
});
