import { SERVICES } from "../../lib/contract/topology.ts";
import { replaceService } from "../faults/replace-service.ts";
import { defineKind } from "../kind.ts";
import { cores, downAlerts, scraped, state } from "../signs.ts";

export const kind = defineKind({
  title: "$service spins in a loop that never ends",
  faultClass: "hang",
  alone: true,
  changes: "process",
  targets: SERVICES,
  intensity: null,
  fault: (service) => replaceService({ service, env: { CMS_BUSY_SHARE: "1" } }),
  signature: (service) => [
    cores(service, ">", 0.25),
    { ...scraped(service, 0) },
    state(service, "running"),
  ],
  alerts: downAlerts,
});
