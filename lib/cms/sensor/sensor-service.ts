/** The sensor service: one implementation for all types. */
import { ROOT_CONTEXT } from "@opentelemetry/api";
import { createPrng } from "../../base/prng.ts";
import { UsageError } from "../../base/errors.ts";
import { sensorKindOf, type SensorKind } from "../../contract/topology.ts";
import type { Publisher } from "../../service/bus.ts";
import type { Service } from "../../service/run-service.ts";
import { traceOf } from "../../service/trace-context.ts";
import { plan } from "./cadence.ts";
import { makeTargets, type Target } from "../trajectory.ts";
import { modelOf, scan } from "./model.ts";

const HEARTBEAT_MS = 30_000;
/** Minimum time between two overrun log lines. */
const OVERRUN_LOG_INTERVAL_MS = 10_000;

/** Starts the configured sensors of one kind; without CMS_SENSORS there is one of each kind. */
export function startSensors(service: Service, kind: SensorKind): void {
  const { settings, bus } = service;
  const ids = settings.sensors.filter((id) => sensorKindOf(id) === kind);
  if (ids.length === 0) {
    throw new UsageError(
      `Cannot run ${service.name}: CMS_SENSORS must name a sensor such as ${kind}-1, but names ${settings.sensors.join(", ")}`,
    );
  }
  const targets = makeTargets(settings);
  const publisher = bus.publisher("SourceTrackTopic");
  for (const id of ids) startSensor(service, id, targets, publisher);
}

/** Starts scanning at the model's rate, or at PUBLISH_RATE_HZ. */
function startSensor(
  service: Service,
  sensorId: string,
  targets: readonly Target[],
  publisher: Publisher<"SourceTrackTopic">,
): void {
  const { telemetry, settings, clock } = service;
  const { meters, logger } = telemetry;
  const model = modelOf(sensorId);
  const rateHz = settings.publishRateHz ?? model.rateHz;
  const published = meters.counter("cms_sensor_published_total", { sensor_id: sensorId });
  const undetected = meters.counter("cms_sensor_undetected_total", { sensor_id: sensorId });
  const publishSeconds = meters.histogram("cms_sensor_publish_seconds", { sensor_id: sensorId });
  const prng = createPrng(settings.seed ?? clock.nowMs()).child(sensorId);
  const since = { written: 0, missed: 0, atMs: clock.monotonicMs() };
  let sequence = 0;

  logger.log("sensor_started", {
    sensor_id: sensorId,
    sensor_type: model.sensorType,
    target_rate_hz: rateHz,
    detection_probability: model.detectionProbability,
  });

  const scanOnce = (): void => {
    const found = scan(model, targets, clock.nowMs(), prng);
    const name = `sensor.scan.${sensorId}`;
    const attributes = {
      "sensor.id": sensorId,
      "sensor.type": model.sensorType,
      "scan.target_count": found.detections.length,
    };
    telemetry.inSpan("sensor.scan.<sensor_id>", name, ROOT_CONTEXT, attributes, (span) => {
      const trace = traceOf(span);
      for (const detection of found.detections) {
        const startedMs = clock.monotonicMs();
        sequence = (sequence + 1) >>> 0;
        publisher.publish({ ...detection, sequence_number: sequence, trace });
        publishSeconds.record((clock.monotonicMs() - startedMs) / 1000);
      }
    });
    published.add(found.detections.length);
    undetected.add(found.undetected);
    since.written += found.detections.length;
    since.missed += found.undetected;
  };

  service.every(HEARTBEAT_MS, () => {
    const seconds = (clock.monotonicMs() - since.atMs) / 1000;
    logger.log("sensor_heartbeat", {
      sensor_id: sensorId,
      publish_rate_hz_observed: round(since.written / seconds),
      drop_rate_hz_observed: round(since.missed / seconds),
      target_rate_hz: rateHz,
    });
    Object.assign(since, { written: 0, missed: 0, atMs: clock.monotonicMs() });
  });
  loop(service, sensorId, 1000 / rateHz, scanOnce);
}

const round = (value: number): number => Math.round(value * 100) / 100;

function loop(service: Service, sensorId: string, periodMs: number, scanOnce: () => void): void {
  const { clock } = service;
  const startMs = clock.monotonicMs();
  let n = 0;
  let loggedMs = Number.NEGATIVE_INFINITY;
  let skippedScans = 0;
  const turn = (): void => {
    const nowMs = clock.monotonicMs();
    const { nextMs, lateMs, skipped } = plan(startMs, periodMs, n, nowMs);
    n += skipped + 1;
    skippedScans += skipped;
    if (skipped > 0 && nowMs - loggedMs > OVERRUN_LOG_INTERVAL_MS) {
      loggedMs = nowMs;
      service.telemetry.logger.log("sensor_loop_overrun", {
        sensor_id: sensorId,
        late_ms: Math.round(lateMs),
        period_ms: periodMs,
        skipped_scans: skippedScans,
      });
      skippedScans = 0;
    }
    scanOnce();
    service.after(Math.max(0, nextMs - clock.monotonicMs()), turn);
  };
  turn();
}
