import { TOPOLOGY } from "../../lib/contract/topology.ts";
import { replaceService } from "../faults/replace-service.ts";
import { defineKind } from "../kind.ts";
import { sentQuery, sensorOf, SENSORS } from "../signs.ts";

const TARGETS = 3;

export const kind = defineKind({
  title: "$service publishes $amount times as much as it should",
  faultClass: "message_flood",
  alone: true,
  changes: "process",
  targets: SENSORS,
  intensity: { unit: "times the nominal rate", min: 20, max: 60 },
  fault: (service, times) => {
    const scans = (TOPOLOGY[service].nominalRateHz ?? 0) / TARGETS;
    return replaceService({ service, env: { PUBLISH_RATE_HZ: String(scans * times) } });
  },
  signature: (service) => [
    {
      what: "published/s",
      query: sentQuery(service),
      op: ">",
      value: 2 * (TOPOLOGY[service].nominalRateHz ?? 0),
      shows: { kind: "metric", signal: "cms_sensor_published_total", as: "rate", service },
    },
  ],
  alerts: (service) => [
    { uid: "sensor-flood", labels: { sensor_id: sensorOf(service) } },
    { uid: "sensor-rate-off", labels: { sensor_id: sensorOf(service) } },
  ],
});
