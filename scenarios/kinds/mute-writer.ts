import { replaceService } from "../faults/replace-service.ts";
import { defineKind, type Sign } from "../kind.ts";
import {
  muteAlerts,
  SENSORS,
  nothingArrives,
  nothingRefused,
  scraped,
  sends,
  WRITERS,
  writersSeen,
} from "../signs.ts";

/** Messages of one sensor under another's id are accepted. */
const lessTakenIn: Sign = {
  what: "share taken in of all",
  query:
    'sum(rate(cms_fusion_ingested_total{job="cms-services"}[15s])) / sum(rate(cms_sensor_published_total{job="cms-services"}[15s]))',
  op: "<",
  value: 0.97,
};

export const kind = defineKind({
  title: "$service counts what it sends, but its writer sends nothing",
  faultClass: "slow_publisher",
  dds: true,
  changes: "process",
  targets: WRITERS,
  intensity: null,
  fault: (service) => replaceService({ service, env: { CMS_OUTPUT: "dropped:1" } }),
  signature: (service) => [
    nothingArrives(service),
    sends(service),
    writersSeen(service, 0),
    nothingRefused(service),
    scraped(service, 1),
    ...(SENSORS.includes(service) ? [lessTakenIn] : []),
  ],
  alerts: muteAlerts,
});
