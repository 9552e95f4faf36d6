import { SERVICES } from "../../lib/contract/topology.ts";
import { signalProcess } from "../faults/signal-process.ts";
import { defineKind } from "../kind.ts";
import { cores, downAlerts, receives, scraped, startedLater, state } from "../signs.ts";

export const kind = defineKind({
  title: "The process of $service is stopped where it is",
  faultClass: "hang",
  changes: "process",
  targets: SERVICES,
  intensity: null,
  fault: (service) => signalProcess({ service, signal: "SIGSTOP" }),
  signature: (service) => [
    scraped(service, 0),
    state(service, "running"),
    cores(service, "<", 0.002),
    receives(service, ">", 200),
    startedLater(service, "<"),
  ],
  alerts: downAlerts,
});
