/** Subscribes to every topic, keeps the tactical picture and serves it over HTTP. */
import { Hono } from "hono";
import { TOPOLOGY, type TopicName } from "../../lib/contract/topology.ts";
import type { Key, Message } from "../../lib/service/message.ts";
import type { Service } from "../../lib/service/run-service.ts";
import { addPage } from "./page.ts";
import { PictureStore } from "./picture.ts";

const HOUSEKEEPING_MS = 1000;

export function startDisplay(service: Service): void {
  const { telemetry, clock } = service;
  const store = new PictureStore();
  const activeTracks = telemetry.meters.gauge("cms_display_active_tracks");
  activeTracks.set(0);
  const trackAge = telemetry.meters.histogram("cms_display_track_age_seconds");
  const showCount = (): void => activeTracks.set(store.size);
  ingest(service, "SourceTrackTopic", {});
  ingest(service, "TacticalTrackTopic", {
    take: (track) => {
      const nowMs = clock.nowMs();
      // The clocks of two hosts may differ by more than the transmission takes.
      trackAge.record(Math.max(0, nowMs - track.updated_unix_ms) / 1000);
      store.track(track, nowMs);
      showCount();
    },
    end: ({ track_id: trackId }) => {
      store.endTrack(trackId);
      showCount();
    },
  });
  ingest(service, "ThreatAssessmentTopic", {
    take: (threat) => store.threat(threat),
    end: ({ track_id: trackId }) => store.endThreat(trackId),
  });
  ingest(service, "MissionOrderTopic", {
    take: (order) => store.order(order),
    end: ({ order_id: orderId }) => store.endOrder(orderId),
  });
  ingest(service, "EngagementStatusTopic", {
    take: (status) => store.engagement(status),
    end: ({ order_id: orderId }) => store.endEngagement(orderId),
  });
  service.every(HOUSEKEEPING_MS, () => {
    store.expire(clock.nowMs());
    showCount();
  });

  const port = TOPOLOGY["tactical-display"].httpPort ?? 0;
  const app = createApp(() => store.picture(clock.nowMs()));
  telemetry.logger.log("http_starting", { port });
  service.serve(port, (request) => app.fetch(request));
}

/** Handles a topic's messages and its disposed instances. */
interface Handler<T extends TopicName> {
  readonly take?: (message: Message<T>) => void;
  readonly end?: (key: Key<T>) => void;
}

function ingest<T extends TopicName>(
  { telemetry, bus, clock }: Service,
  topic: T,
  { take, end }: Handler<T>,
): void {
  const received = telemetry.meters.counter("cms_display_received_total", { topic });
  const seconds = telemetry.meters.histogram("cms_display_handler_seconds", { topic });
  const name = `display.ingest.${topic}`;
  bus.visit(topic, {
    message: (_, arrival) => {
      const startedMs = clock.monotonicMs();
      const attributes = { "dds.topic": topic };
      telemetry.inSpan("display.ingest.<topic>", name, arrival.parent, attributes, () => {
        // Only messages that are kept are copied.
        if (take !== undefined) take(arrival.copy());
      });
      received.add(1);
      seconds.record((clock.monotonicMs() - startedMs) / 1000);
    },
    disposed: (key) => end?.(key),
  });
}

/** The HTTP server: the page, the picture, and a liveness check. */
export function createApp(picture: () => ReturnType<PictureStore["picture"]>): Hono {
  const app = new Hono();
  app.get("/api/picture", (c) => {
    c.header("cache-control", "no-store");
    return c.json(picture());
  });
  app.get("/healthz", (c) => c.text("ok\n"));
  addPage(app);
  app.notFound((c) => c.json({ error: `there is no ${c.req.path}; try /api/picture` }, 404));
  return app;
}
