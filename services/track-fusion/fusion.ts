/** Track fusion: puts source tracks into a bounded queue and processes them in small portions. */
import type { Context } from "@opentelemetry/api";
import type { SourceTrack } from "../../lib/cms/messages.ts";
import type { Service } from "../../lib/service/run-service.ts";
import { tracedPublish } from "../../lib/service/publish.ts";
import type { CounterSeries } from "../../lib/telemetry/meters.ts";
import { DropReport } from "./drop-report.ts";
import { Inbox } from "./inbox.ts";
import { Leak } from "./leak.ts";
import { admit, type Observed } from "./tracking/admit.ts";
import { MAX_WAIT_MS, type Scan, Scans } from "./tracking/scans.ts";
import { Tracker, type Update } from "./tracking/tracker.ts";

/** The data of a source track in the queue. */
interface Item {
  readonly source: Observed;
  /** Context of the source track's trace. */
  readonly parent: Context;
  /** Time at which it was taken from DDS, on the monotonic clock. */
  readonly takenMs: number;
}

/** The event loop runs between two portions, so that samples are taken from DDS in time. */
const PORTION = 16;
const HOUSEKEEPING_MS = 1000;

export function startFusion(service: Service): void {
  const { telemetry, bus, settings, clock } = service;
  const inbox = new Inbox<Item>(settings.inboxCapacity);
  const queueDepth = telemetry.meters.gauge("cms_fusion_queue_depth");
  const drops = new DropReport(service);
  const fusion = new Fusion(service);
  const leak = new Leak(settings.leakRateBytes);
  let isWorking = false;
  let isFlushPlanned = false;

  const showDepth = (): void => queueDepth.set(inbox.depth + fusion.waiting);
  const flush = (): void => {
    isFlushPlanned = false;
    fusion.flush();
    showDepth();
    planFlush();
  };
  const planFlush = (): void => {
    if (isFlushPlanned || fusion.waiting === 0) return;
    isFlushPlanned = true;
    service.after(MAX_WAIT_MS, flush);
  };
  const work = (): void => {
    for (let i = 0; i < PORTION; i++) {
      const item = inbox.shift();
      if (item === undefined) break;
      if (fusion.take(item)) leak.grow();
    }
    showDepth();
    planFlush();
    isWorking = inbox.depth > 0;
    if (isWorking) setImmediate(work);
  };
  bus.visit("SourceTrackTopic", {
    message: (message, { parent, takenMs }) => {
      const item = { source: observed(message), parent, takenMs };
      if (!inbox.push(item)) drops.note(inbox.depth, inbox.droppedTotal);
      showDepth();
      if (isWorking) return;
      isWorking = true;
      setImmediate(work);
    },
  });
  service.every(HOUSEKEEPING_MS, () => {
    // While source tracks wait in the queue, the clock is ahead of the processed observations.
    if (inbox.depth + fusion.waiting === 0) fusion.expire(clock.nowMs());
    telemetry.meters.gauge("cms_fusion_memory_bytes").set(process.memoryUsage.rss());
  });
}

/** Copies the fields that the tracker needs from a view. */
function observed(view: SourceTrack): Observed {
  const { position, velocity } = view;
  return {
    sensor_id: view.sensor_id,
    position: { x: position.x, y: position.y, z: position.z },
    velocity: { x: velocity.x, y: velocity.y, z: velocity.z },
    classification: view.classification,
    position_sigma_m: view.position_sigma_m,
    observed_unix_ms: view.observed_unix_ms,
  };
}

/** The tracker, connected to messages and telemetry. */
class Fusion {
  readonly #service: Service;
  /** Counter of each configured sensor. */
  readonly #ingested = new Map<string, CounterSeries>();
  readonly #scans = new Scans<Item>();
  readonly #tracker: Tracker;
  readonly #publisher;
  readonly #publish;
  readonly #published;
  readonly #seconds;
  readonly #activeTracks;

  constructor(service: Service) {
    const { telemetry, bus, settings, clock } = service;
    const { meters } = telemetry;
    this.#service = service;
    // The start time makes track ids of two runs differ.
    this.#tracker = new Tracker(clock.nowMs().toString(36).toUpperCase());
    this.#publisher = bus.publisher("TacticalTrackTopic");
    this.#publish = tracedPublish(telemetry, "TacticalTrackTopic", this.#publisher);
    this.#published = meters.counter("cms_fusion_published_total");
    this.#seconds = meters.histogram("cms_fusion_processing_seconds");
    this.#activeTracks = meters.gauge("cms_fusion_active_tracks");
    this.#activeTracks.set(0);
    for (const sensor_id of settings.sensors) {
      const ingested = meters.counter("cms_fusion_ingested_total", { sensor_id });
      ingested.add(0);
      this.#ingested.set(sensor_id, ingested);
    }
  }

  /** Number of source tracks that wait for the rest of their scan. */
  get waiting(): number {
    return this.#scans.waiting;
  }

  /** Adds a source track, and processes complete scans; returns false when it was refused. */
  take(item: Item): boolean {
    const { telemetry, bus, clock } = this.#service;
    const admitted = admit(item.source, {
      isSensor: (id) => this.#ingested.has(id),
      isTooOld: (timeMs) => this.#tracker.isTooOld(timeMs),
      nowMs: clock.nowMs(),
    });
    if (typeof admitted === "string") {
      bus.reject("SourceTrackTopic", admitted);
      telemetry.meters.counter("cms_fusion_refused_total", { reason: admitted }).add(1);
      return false;
    }
    this.#ingested.get(admitted.sensorId)?.add(1);
    const ended = this.#scans.add(admitted, item, clock.monotonicMs());
    if (ended !== undefined) this.#process(ended);
    return true;
  }

  /** Processes the scans whose waiting time is over. */
  flush(): void {
    for (const scan of this.#scans.due(this.#service.clock.monotonicMs())) this.#process(scan);
  }

  /** Ends expired tracks, as of `nowMs`. */
  expire(nowMs: number): void {
    this.#tracker.expire(nowMs);
    this.#retireEnded();
  }

  #process(scan: Scan<Item>): void {
    const updates = this.#tracker.take(scan);
    for (const [i, item] of scan.items.entries()) this.#finish(scan.sensorId, item, updates[i]);
    this.#retireEnded();
  }

  #finish(sensorId: string, { parent, takenMs }: Item, update: Update | undefined): void {
    const { telemetry, clock } = this.#service;
    const attributes = {
      "sensor.id": sensorId,
      ...(update === undefined ? {} : { tactical_track_id: update.track.track_id }),
    };
    telemetry.inSpan("fusion.ingest", "fusion.ingest", parent, attributes, (span) => {
      if (update === undefined) return;
      this.#reportChange(update);
      this.#publish(update.track, span, parent);
      this.#published.add(1);
    });
    this.#seconds.record((clock.monotonicMs() - takenMs) / 1000);
  }

  #reportChange({ track, change }: Update): void {
    if (change === undefined) return;
    const { meters, logger } = this.#service.telemetry;
    const { added, removed } = change;
    const changed = "cms_fusion_contributors_changed_total";
    meters.counter(changed, { change: "added" }).add(added.length);
    meters.counter(changed, { change: "removed" }).add(removed.length);
    logger.log("tactical_track_contributors_changed", {
      track_id: track.track_id,
      added,
      removed,
      contributing_sensors: track.contributing_sensors,
    });
  }

  #retireEnded(): void {
    for (const track_id of this.#tracker.takeEnded()) this.#publisher.retire({ track_id });
    this.#activeTracks.set(this.#tracker.size);
  }
}
