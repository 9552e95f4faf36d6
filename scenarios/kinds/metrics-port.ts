import { SERVICES } from "../../lib/contract/topology.ts";
import { replaceService } from "../faults/replace-service.ts";
import { defineKind } from "../kind.ts";
import { downAlerts, pushes, receives, scraped, startedLater, state } from "../signs.ts";

export const kind = defineKind({
  title: "A new $service serves its metrics on port $amount",
  faultClass: "monitoring_fault",
  alsoAccept: [
    { culprit: "telemetry", why: "the service itself works" },
    { fault_class: "bad_configuration", why: "the port is a setting" },
  ],
  remedies: ["correct_configuration", "restore_monitoring"],
  changes: "process",
  targets: SERVICES,
  intensity: { unit: "port", min: 9500, max: 9999, whole: true },
  fault: (service, port) => replaceService({ service, env: { CMS_METRICS_PORT: String(port) } }),
  signature: (service) => [
    scraped(service, 0),
    state(service, "running"),
    receives(service, ">", 200),
    startedLater(service, ">"),
    pushes(service),
  ],
  alerts: downAlerts,
});
