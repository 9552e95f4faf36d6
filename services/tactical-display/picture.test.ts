import { describe, expect, test } from "bun:test";
import { createApp } from "./display.ts";
import { PictureStore, TRACK_TTL_MS } from "./picture.ts";

const trace = { traceparent: "", tracestate: "" };
const track = (track_id: string) => ({
  track_id,
  position: { x: 1, y: 2, z: 3 },
  velocity: { x: 4, y: 5, z: 6 },
  classification: "MISSILE" as const,
  contributing_sensors: ["RADAR-1"],
  updates: 7,
  updated_unix_ms: 1000,
  trace,
});
const threat = (track_id: string, priority: number) => ({
  track_id,
  level: "HIGH" as const,
  priority,
  score: 70,
  rationale: "fast",
  assessed_unix_ms: 1000,
  trace,
});
const order = (order_id: string, issued_unix_ms: number) => ({
  order_id,
  action: "ENGAGE" as const,
  target_track_id: "A",
  threat_level: "HIGH" as const,
  reason: "",
  issued_unix_ms,
  trace,
});

describe("PictureStore", () => {
  test("shows each track with threat, order and engagement, and the age of each", () => {
    const store = new PictureStore();
    store.track(track("A"), 1000);
    store.threat(threat("A", 1));
    store.order(order("O-2", 2000));
    store.order(order("O-1", 1500));
    store.engagement({
      order_id: "O-2",
      target_track_id: "A",
      status: "IN_FLIGHT",
      detail: "launched",
      changed_unix_ms: 2500,
      trace,
    });
    expect(store.picture(3000)).toEqual({
      as_of: "1970-01-01T00:00:03.000Z",
      track_count: 1,
      tracks: [
        {
          track_id: "A",
          position: { x: 1, y: 2, z: 3 },
          velocity: { x: 4, y: 5, z: 6 },
          classification: "MISSILE",
          contributing_sensors: ["RADAR-1"],
          updates: 7,
          age_seconds: 2,
          threat: { level: "HIGH", priority: 1, score: 70, rationale: "fast", age_seconds: 2 },
          order: { order_id: "O-2", action: "ENGAGE", threat_level: "HIGH", age_seconds: 1 },
          engagement: {
            order_id: "O-2",
            status: "IN_FLIGHT",
            detail: "launched",
            age_seconds: 0.5,
          },
        },
      ],
    });
  });

  test("the most urgent track comes first, those without a threat last", () => {
    const store = new PictureStore();
    for (const id of ["A", "B", "C"]) store.track(track(id), 0);
    store.threat(threat("B", 1));
    store.threat(threat("C", 2));
    expect(store.picture(0).tracks.map(({ track_id }) => track_id)).toEqual(["B", "C", "A"]);
  });

  test("a track that nothing updates leaves the picture", () => {
    const store = new PictureStore();
    store.track(track("A"), 0);
    store.expire(TRACK_TTL_MS);
    expect(store.size).toBe(1);
    store.expire(TRACK_TTL_MS + 1);
    expect(store.size).toBe(0);
    expect(store.picture(TRACK_TTL_MS + 1).track_count).toBe(0);
  });
});

describe("what is over", () => {
  test("a track that fusion ended leaves the picture at once, with its details", () => {
    const store = new PictureStore();
    store.track(track("A"), 0);
    store.threat(threat("A", 1));
    store.order(order("O-1", 0));
    store.endTrack("A");
    expect(store.picture(0).track_count).toBe(0);
    store.track(track("A"), 0);
    expect(store.picture(0).tracks[0]).toMatchObject({ threat: null, order: null });
  });

  test("a threat that is over leaves its track", () => {
    const store = new PictureStore();
    store.track(track("A"), 0);
    store.threat(threat("A", 1));
    store.endThreat("A");
    expect(store.picture(0).tracks[0]).toMatchObject({ track_id: "A", threat: null });
  });

  test("an order that its writer let go still stands while its track is there", () => {
    const store = new PictureStore();
    store.track(track("A"), 0);
    store.order(order("O-1", 0));
    store.endOrder("O-1");
    expect(store.picture(0).tracks[0]?.order?.order_id).toBe("O-1");
    store.expire(TRACK_TTL_MS + 1);
    store.endOrder("O-1");
    store.track(track("A"), 20_000);
    expect(store.picture(20_000).tracks[0]?.order).toBeNull();
  });

  test("the age of a track counts from its observation, not from its arrival", () => {
    const store = new PictureStore();
    store.track(track("A"), 90_000);
    expect(store.picture(90_000).tracks[0]?.age_seconds).toBe(89);
  });
});

describe("the HTTP surface", () => {
  const app = createApp(() => new PictureStore().picture(0));

  test("serves the picture, never from a cache", async () => {
    const response = await app.request("/api/picture");
    expect(response.headers.get("cache-control")).toBe("no-store");
    expect(await response.json()).toMatchObject({ track_count: 0, tracks: [] });
  });

  test.each([
    ["/", "text/html"],
    ["/page.js", "text/javascript"],
    ["/page.css", "text/css"],
    ["/milsymbol.js", "text/javascript"],
  ])("serves %s itself, and allows nothing from elsewhere", async (path, type) => {
    const response = await app.request(path);
    expect(response.status).toBe(200);
    expect(response.headers.get("content-type")).toContain(type);
    expect(response.headers.get("content-security-policy")).toContain("default-src 'none'");
  });

  test("says what exists when asked for something else", async () => {
    const response = await app.request("/nope");
    expect(response.status).toBe(404);
    expect(await response.text()).toContain("try /api/picture");
  });
});
