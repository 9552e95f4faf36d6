import { SERVICES, TOPOLOGY } from "../../lib/contract/topology.ts";
import { dropPackets } from "../faults/network-rule.ts";
import { defineKind } from "../kind.ts";
import { cores, downAlerts, pushes, receives, scraped, startedLater, state } from "../signs.ts";

export const kind = defineKind({
  title: "Nothing reaches the metrics port of $service; it works as before",
  faultClass: "monitoring_fault",
  alsoAccept: [{ culprit: "telemetry", why: "the service itself works" }],
  changes: "network",
  targets: SERVICES,
  intensity: null,
  fault: (service) => dropPackets(service, `INPUT -p tcp --dport ${TOPOLOGY[service].metricsPort}`),
  signature: (service) => [
    scraped(service, 0),
    state(service, "running"),
    cores(service, ">", 0.002, false),
    receives(service, ">", 200),
    startedLater(service, "<"),
    pushes(service),
  ],
  alerts: downAlerts,
});
