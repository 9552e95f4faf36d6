import { describe, expect, test } from "bun:test";
import { createPrng } from "../../lib/base/prng.ts";
import { SENSOR_IDS } from "../../lib/contract/topology.ts";
import type { SourceTrack } from "../../lib/cms/messages.ts";
import { scan, SENSOR_MODELS } from "../../lib/cms/sensor/model.ts";
import { CONTRIBUTOR_WINDOW_MS, TRACK_TIMEOUT_MS, Tracker } from "./tracker.ts";

const START_MS = Date.UTC(2026, 0, 1);

/** Runs simulated sensors against a tracker, one scan after the other in time. */
function simulate(
  tracker: Tracker,
  durationMs: number,
  seed: number,
  isOn: (sensor: string, atMs: number) => boolean = () => true,
): { removed: number; added: number; fewest: number; most: number; ids: Set<string> } {
  const prng = createPrng(seed);
  const seen = { removed: 0, added: 0, fewest: Infinity, most: 0, ids: new Set<string>() };
  const sensors = SENSOR_IDS.map((id) => ({
    model: SENSOR_MODELS[id],
    n: 0,
    prng: prng.child(id),
  }));
  for (;;) {
    const next = sensors.reduce((a, b) => (a.n / a.model.rateHz <= b.n / b.model.rateHz ? a : b));
    const atMs = (next.n++ * 1000) / next.model.rateHz;
    if (atMs > durationMs) return seen;
    if (!isOn(next.model.sensorId, atMs)) continue;
    for (const detection of scan(next.model, START_MS + atMs, next.prng).detections) {
      const source = {
        ...detection,
        sequence_number: 0,
        trace: { traceparent: "", tracestate: "" },
      };
      const { track, change } = tracker.ingest(source, START_MS + atMs);
      seen.ids.add(track.track_id);
      seen.removed += change?.removed.length ?? 0;
      seen.added += change?.added.length ?? 0;
    }
    if (atMs > 2000) {
      seen.fewest = Math.min(seen.fewest, tracker.size);
      seen.most = Math.max(seen.most, tracker.size);
    }
  }
}

describe("Tracker", () => {
  test("keeps exactly three tracks and their contributors through a simulated day", () => {
    const seen = simulate(new Tracker(), 24 * 3_600_000, 11);
    expect(seen).toMatchObject({ fewest: 3, most: 3, removed: 0, added: 9 });
    expect(seen.ids.size).toBe(3);
  }, 120_000);

  test("drops a silent sensor from the contributors of every track, and takes it back", () => {
    const silent = (sensor: string, atMs: number): boolean =>
      sensor !== "ESM-2" || atMs < 20_000 || atMs > 40_000;
    const seen = simulate(new Tracker(), 60_000, 3, silent);
    expect(seen).toMatchObject({ removed: 3, added: 9 + 3, fewest: 3, most: 3 });
  });

  test("a month of missed detections removes EO-3 less than once", () => {
    const { detectionProbability, rateHz } = SENSOR_MODELS["EO-3"];
    const missesInARow = (CONTRIBUTOR_WINDOW_MS / 1000) * rateHz;
    const scansInAMonth = 30 * 86_400 * rateHz * 3;
    expect((1 - detectionProbability) ** missesInARow * scansInAMonth).toBeLessThan(1);
  });

  test("gives up a track that nothing updates, and starts a new one under a new id", () => {
    const tracker = new Tracker();
    const source: SourceTrack = {
      sensor_id: "RADAR-1",
      source_track_id: "RADAR-1:1",
      sensor_type: "RADAR",
      sequence_number: 1,
      position: { x: 0, y: 0, z: 1000 },
      velocity: { x: 0, y: 0, z: 0 },
      classification: "UNKNOWN",
      position_sigma_m: 50,
      observed_unix_ms: 0,
      trace: { traceparent: "", tracestate: "" },
    };
    const first = tracker.ingest(source, 0).track.track_id;
    expect(tracker.expire(TRACK_TIMEOUT_MS)).toEqual([]);
    expect(tracker.expire(TRACK_TIMEOUT_MS + 1)).toEqual([first]);
    expect(tracker.size).toBe(0);
    expect(tracker.ingest(source, 10_000).track.track_id).not.toBe(first);
  });

  test("what lies outside the gate is another target", () => {
    const tracker = new Tracker();
    const at = (x: number): SourceTrack => ({
      sensor_id: "EO-3",
      source_track_id: "EO-3:1",
      sensor_type: "EO",
      sequence_number: 1,
      position: { x, y: 0, z: 0 },
      velocity: { x: 0, y: 0, z: 0 },
      classification: "UNKNOWN",
      position_sigma_m: 15,
      observed_unix_ms: 0,
      trace: { traceparent: "", tracestate: "" },
    });
    tracker.ingest(at(0), 0);
    tracker.ingest(at(100), 10);
    expect(tracker.size).toBe(1);
    tracker.ingest(at(50_000), 20);
    expect(tracker.size).toBe(2);
  });
});
