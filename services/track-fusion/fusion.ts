/** Track fusion: takes source tracks into a bounded queue and works through it in small portions. */
import type { Received } from "../../lib/service/bus.ts";
import type { Service } from "../../lib/service/run-service.ts";
import { traceOf } from "../../lib/service/trace-context.ts";
import { isFinite3 } from "../../lib/cms/vector.ts";
import { SENSOR_IDS } from "../../lib/contract/topology.ts";
import { Inbox } from "./inbox.ts";
import { Leak } from "./leak.ts";
import { type ContributorChange, Tracker } from "./tracker.ts";

type Item = Received<"SourceTrackTopic">;

/** Source tracks that may wait: some minutes of the usual load. */
const INBOX_CAPACITY = 10_000;
/** Between two portions the event loop runs, so that samples are always taken off DDS in time. */
const PORTION = 16;
const DROP_LOG_INTERVAL_MS = 10_000;
const HOUSEKEEPING_MS = 1000;

export function startFusion(service: Service): void {
  const { telemetry, bus, settings } = service;
  const { meters } = telemetry;
  const inbox = new Inbox<Item>(INBOX_CAPACITY);
  const queueDepth = meters.gauge("cms_fusion_queue_depth");
  const drops = new DropReport(service);
  const process = processor(service, new Leak(settings.leakRateBytes));
  let working = false;

  const work = (): void => {
    for (let i = 0; i < PORTION; i++) {
      const item = inbox.shift();
      if (item === undefined) break;
      process.one(item);
    }
    queueDepth.set(inbox.depth);
    working = inbox.depth > 0;
    if (working) setImmediate(work);
  };
  bus.subscribe("SourceTrackTopic", (received) => {
    for (const item of received) {
      if (!inbox.push(item)) drops.note(inbox.depth, inbox.droppedTotal);
    }
    queueDepth.set(inbox.depth);
    if (!working) {
      working = true;
      setImmediate(work);
    }
  });
  service.every(HOUSEKEEPING_MS, () => {
    process.expire();
    meters.gauge("cms_fusion_memory_bytes").set(globalThis.process.memoryUsage.rss());
  });
}

function processor(service: Service, leak: Leak) {
  const { telemetry, bus, clock } = service;
  const { meters, logger } = telemetry;
  const publisher = bus.publisher("TacticalTrackTopic");
  const tracker = new Tracker();
  const activeTracks = meters.gauge("cms_fusion_active_tracks");
  const published = meters.counter("cms_fusion_published_total");
  const seconds = meters.histogram("cms_fusion_processing_seconds");
  const isSensor = (id: string): boolean => (SENSOR_IDS as readonly string[]).includes(id);
  activeTracks.set(0);

  const reportChange = ({ trackId, added, removed, contributors }: ContributorChange): void => {
    for (const [change, sensors] of [
      ["added", added],
      ["removed", removed],
    ] as const) {
      meters.counter("cms_fusion_contributors_changed_total", { change }).add(sensors.length);
    }
    logger.log("tactical_track_contributors_changed", {
      track_id: trackId,
      added,
      removed,
      contributing_sensors: contributors,
    });
  };

  return {
    one: ({ message, parent, takenMs }: Item): void => {
      if (!isSensor(message.sensor_id) || !isFinite3(message.position)) {
        bus.reject("SourceTrackTopic", "unknown sensor or a position that is not finite");
        return;
      }
      leak.grow();
      const update = tracker.ingest(message, clock.nowMs());
      const attributes = {
        tactical_track_id: update.track.track_id,
        "sensor.id": message.sensor_id,
      };
      telemetry.inSpan("fusion.ingest", "fusion.ingest", parent, attributes, (span) => {
        if (update.change !== undefined) reportChange(update.change);
        publisher.publish({ ...update.track, trace: traceOf(span) });
      });
      meters.counter("cms_fusion_ingested_total", { sensor_id: message.sensor_id }).add(1);
      published.add(1);
      activeTracks.set(tracker.size);
      seconds.record((clock.monotonicMs() - takenMs) / 1000);
    },
    expire: (): void => {
      for (const id of tracker.expire(clock.nowMs())) publisher.retire({ track_id: id });
      activeTracks.set(tracker.size);
    },
  };
}

/** One line about dropped source tracks every ten seconds at most. */
class DropReport {
  readonly #service: Service;
  #loggedMs = Number.NEGATIVE_INFINITY;

  constructor(service: Service) {
    this.#service = service;
  }

  note(queueDepth: number, droppedTotal: number): void {
    const nowMs = this.#service.clock.monotonicMs();
    if (nowMs - this.#loggedMs < DROP_LOG_INTERVAL_MS) return;
    this.#loggedMs = nowMs;
    this.#service.telemetry.logger.log("fusion_queue_full_dropping", {
      queue_depth: queueDepth,
      dropped_total: droppedTotal,
    });
  }
}
