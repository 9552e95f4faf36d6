import { SERVICES } from "../../lib/contract/topology.ts";
import { replaceService } from "../faults/replace-service.ts";
import { defineKind } from "../kind.ts";
import { cores, downAlerts, receives, scraped, startedLater, state } from "../signs.ts";

export const kind = defineKind({
  title: "A new $service takes $amount s to start",
  faultClass: "hang",
  changes: "process",
  targets: SERVICES,
  intensity: { unit: "s before it answers", min: 240, max: 1200 },
  fault: (service, seconds) =>
    replaceService({ service, env: { CMS_START_DELAY_SECONDS: String(seconds) } }),
  signature: (service) => [
    scraped(service, 0),
    state(service, "running"),
    cores(service, "<", 0.01),
    receives(service, ">", 200),
    startedLater(service, ">"),
  ],
  alerts: downAlerts,
});
