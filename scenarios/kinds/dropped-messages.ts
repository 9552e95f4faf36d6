import { replaceService } from "../faults/replace-service.ts";
import { defineKind } from "../kind.ts";
import { TOPOLOGY } from "../../lib/contract/topology.ts";
import {
  arrivedQuery,
  arrives,
  muteAlerts,
  nothingRefused,
  sensorOf,
  SENSORS,
  sentQuery,
  topicOf,
} from "../signs.ts";

/** Tracks and assessments per second of three targets. */
const NOMINAL_TRACKS_HZ = 45;

export const kind = defineKind({
  title: "$service drops a share of $amount of its messages before it writes them",
  faultClass: "slow_publisher",
  alsoAccept: [{ fault_class: "packet_loss_or_delay", why: "messages are lost on the way" }],
  dds: true,
  heldOut: true,
  changes: "process",
  targets: [...SENSORS, "track-fusion", "threat-evaluator"],
  intensity: { unit: "share of the messages", min: 0.7, max: 0.97 },
  fault: (service, share) => replaceService({ service, env: { CMS_OUTPUT: `dropped:${share}` } }),
  signature: (service) => [
    {
      what: "share that arrives",
      query: `${arrivedQuery(service)} / ${sentQuery(service)}`,
      op: "<",
      value: 0.5,
    },
    arrives(service),
    {
      what: "arrived/s",
      query: arrivedQuery(service),
      op: "<",
      value: 0.5 * (TOPOLOGY[service].nominalRateHz ?? NOMINAL_TRACKS_HZ),
      shows: {
        kind: "metric",
        as: "rate",
        ...(TOPOLOGY[service].sensorId === undefined
          ? { signal: "cms_display_received_total", labels: { topic: topicOf(service) } }
          : { signal: "cms_fusion_ingested_total", labels: { sensor_id: sensorOf(service) } }),
      },
    },
    nothingRefused(service),
  ],
  alerts: muteAlerts,
});
