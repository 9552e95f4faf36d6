import { TOPOLOGY } from "../../lib/contract/topology.ts";
import { replaceService } from "../faults/replace-service.ts";
import { defineKind } from "../kind.ts";
import { scraped, sends, sentQuery, sensorOf, SENSORS } from "../signs.ts";

const TARGETS = 3;

export const kind = defineKind({
  title: "$service publishes at $amount of its nominal rate",
  faultClass: "slow_publisher",
  changes: "process",
  targets: SENSORS,
  intensity: { unit: "share of the nominal rate", min: 0.05, max: 0.4 },
  fault: (service, share) => {
    const scans = (TOPOLOGY[service].nominalRateHz ?? 0) / TARGETS;
    return replaceService({ service, env: { PUBLISH_RATE_HZ: String(scans * share) } });
  },
  signature: (service) => [
    {
      what: "published/s",
      query: sentQuery(service).replace("[15s]", "[40s]"),
      op: "<",
      value: 0.6 * (TOPOLOGY[service].nominalRateHz ?? 0),
      // Far below its random minimum over half a minute.
      shows: { kind: "metric", signal: "cms_sensor_published_total", as: "rate", service },
    },
    { ...sends(service), query: sentQuery(service).replace("[15s]", "[1m]") },
    scraped(service, 1),
    {
      what: "runs for s",
      query: `time() - container_start_time_seconds{name="${service}"}`,
      op: ">",
      value: 45,
    },
  ],
  deadlines: { signatureMs: 120_000 },
  alerts: (service) => [
    { uid: "sensor-rate-off", labels: { sensor_id: sensorOf(service) } },
    { uid: "fusion-contributors-dropped", labels: {} },
  ],
});
