/** Hears every topic, keeps the tactical picture and serves it over HTTP. */
import { Hono } from "hono";
import { TOPICS, TOPOLOGY, type TopicName } from "../../lib/contract/topology.ts";
import type { Message } from "../../lib/service/message.ts";
import type { Service } from "../../lib/service/run-service.ts";
import { addPage } from "./page.ts";
import { PictureStore } from "./picture.ts";

const HOUSEKEEPING_MS = 1000;

export function startDisplay(service: Service): void {
  const { telemetry, clock } = service;
  const store = new PictureStore();
  const activeTracks = telemetry.meters.gauge("cms_display_active_tracks");
  activeTracks.set(0);
  const take: { readonly [T in TopicName]: (message: Message<T>) => void } = {
    SourceTrackTopic: () => {},
    TacticalTrackTopic: (track) => {
      store.track(track, clock.nowMs());
      activeTracks.set(store.expire(clock.nowMs()));
    },
    ThreatAssessmentTopic: (threat) => store.threat(threat),
    MissionOrderTopic: (order) => store.order(order),
    EngagementStatusTopic: (status) => store.engagement(status),
  };
  for (const topic of TOPICS) ingest(service, topic, take[topic] as (message: unknown) => void);
  service.every(HOUSEKEEPING_MS, () => activeTracks.set(store.expire(clock.nowMs())));

  const port = TOPOLOGY["tactical-display"].httpPort ?? 0;
  const app = createApp(() => store.picture(clock.nowMs()));
  telemetry.logger.log("http_starting", { port });
  service.serve(port, (request) => app.fetch(request));
}

function ingest<T extends TopicName>(
  { telemetry, bus, clock }: Service,
  topic: T,
  take: (message: Message<T>) => void,
): void {
  const received = telemetry.meters.counter("cms_display_received_total", { topic });
  const seconds = telemetry.meters.histogram("cms_display_handler_seconds", { topic });
  const name = `display.ingest.${topic}`;
  bus.subscribe(topic, (batch) => {
    for (const { message, parent } of batch) {
      const startedMs = clock.monotonicMs();
      const attributes = { "dds.topic": topic };
      telemetry.inSpan("display.ingest.<topic>", name, parent, attributes, () => take(message));
      received.add(1);
      seconds.record((clock.monotonicMs() - startedMs) / 1000);
    }
  });
}

/** The HTTP surface: the page, the picture, and whether the process is alive. */
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
