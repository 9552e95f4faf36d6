import { SERVICES } from "../../lib/contract/topology.ts";
import { detachNetwork } from "../faults/detach-network.ts";
import { defineKind } from "../kind.ts";
import { downAlerts, receives, scraped, state } from "../signs.ts";

export const kind = defineKind({
  title: "The network of $service is cut off while it runs",
  faultClass: "network_partition",
  changes: "network",
  targets: SERVICES,
  intensity: null,
  fault: (service) => detachNetwork({ service }),
  signature: (service) => [
    receives(service, "<", 1),
    scraped(service, 0),
    state(service, "running"),
  ],
  alerts: downAlerts,
});
