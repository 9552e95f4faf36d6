import { dropPackets } from "../faults/network-rule.ts";
import { defineKind } from "../kind.ts";
import { TOPOLOGY } from "../../lib/contract/topology.ts";
import {
  alertsNamed,
  arrivedQuery,
  arrives,
  nothingRefused,
  SENSORS,
  sensorOf,
  sentQuery,
  startedLater,
} from "../signs.ts";

export const kind = defineKind({
  title: "A share of $amount of the DDS packets of $service is lost",
  faultClass: "packet_loss_or_delay",
  alsoAccept: [
    { fault_class: "slow_publisher", why: "what never left and what was lost look alike" },
  ],
  dds: true,
  changes: "network",
  targets: SENSORS,
  intensity: { unit: "share of the packets", min: 0.5, max: 0.95 },
  fault: (service, share) =>
    dropPackets(service, `OUTPUT -p udp -m statistic --mode random --probability ${share}`),
  signature: (service) => [
    {
      what: "share that arrives",
      query: `${arrivedQuery(service)} / ${sentQuery(service)}`,
      op: "<",
      value: 0.85,
    },
    arrives(service),
    {
      what: "arrived/s",
      query: arrivedQuery(service),
      op: "<",
      value: 0.75 * (TOPOLOGY[service].nominalRateHz ?? 0),
      shows: {
        kind: "metric",
        signal: "cms_fusion_ingested_total",
        labels: { sensor_id: sensorOf(service) },
        as: "rate",
      },
    },
    startedLater(service, "<"),
    nothingRefused(service),
  ],
  alerts: () => alertsNamed("fusion-contributors-dropped"),
});
