import { dropPackets } from "../faults/network-rule.ts";
import { defineKind } from "../kind.ts";
import {
  matches,
  muteAlerts,
  nothingArrives,
  nothingRefused,
  scraped,
  sends,
  WRITERS,
  writersSeen,
} from "../signs.ts";

export const kind = defineKind({
  title: "What $service sends over DDS never leaves it; it hears the others",
  faultClass: "network_partition",
  alsoAccept: [{ fault_class: "packet_loss_or_delay", why: "all of its packets are lost" }],
  dds: true,
  changes: "network",
  targets: WRITERS,
  intensity: null,
  fault: (service) => dropPackets(service, "OUTPUT -p udp"),
  signature: (service) => [
    nothingArrives(service),
    sends(service),
    scraped(service, 1),
    writersSeen(service, 1),
    nothingRefused(service),
    matches(service, ">", 0),
  ],
  alerts: muteAlerts,
});
