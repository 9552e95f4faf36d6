/** The one implementation of the three sensors. */
import { ROOT_CONTEXT } from "@opentelemetry/api";
import { createPrng } from "../../base/prng.ts";
import type { SensorId } from "../../contract/topology.ts";
import type { Service } from "../../service/run-service.ts";
import { traceOf } from "../../service/trace-context.ts";
import { plan } from "./cadence.ts";
import { scan, SENSOR_MODELS } from "./model.ts";

const HEARTBEAT_MS = 30_000;
/** At most one overrun line in this time, however many there are. */
const OVERRUN_LOG_INTERVAL_MS = 10_000;

/** Starts scanning at the model's rate, or at PUBLISH_RATE_HZ. */
export function startSensor(service: Service, sensorId: SensorId): void {
  const { telemetry, bus, settings, clock } = service;
  const { meters, logger } = telemetry;
  const model = SENSOR_MODELS[sensorId];
  const rateHz = settings.publishRateHz ?? model.rateHz;
  const publisher = bus.publisher("SourceTrackTopic");
  const published = meters.counter("cms_sensor_published_total", { sensor_id: sensorId });
  const undetected = meters.counter("cms_sensor_undetected_total", { sensor_id: sensorId });
  const publishSeconds = meters.histogram("cms_sensor_publish_seconds", { sensor_id: sensorId });
  const prng = createPrng(clock.nowMs()).child(sensorId);
  const since = { written: 0, missed: 0, unixMs: clock.nowMs() };
  let sequence = 0;

  logger.log("sensor_started", {
    sensor_id: sensorId,
    sensor_type: model.sensorType,
    target_rate_hz: rateHz,
    detection_probability: model.detectionProbability,
  });

  const scanOnce = (): void => {
    const found = scan(model, clock.nowMs(), prng);
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
    const seconds = (clock.nowMs() - since.unixMs) / 1000;
    logger.log("sensor_heartbeat", {
      sensor_id: sensorId,
      publish_rate_hz_observed: round(since.written / seconds),
      drop_rate_hz_observed: round(since.missed / seconds),
      target_rate_hz: rateHz,
    });
    Object.assign(since, { written: 0, missed: 0, unixMs: clock.nowMs() });
  });
  loop(service, sensorId, 1000 / rateHz, scanOnce);
}

const round = (value: number): number => Math.round(value * 100) / 100;

function loop(service: Service, sensorId: SensorId, periodMs: number, scanOnce: () => void): void {
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
