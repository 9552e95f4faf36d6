import { SERVICES } from "../../lib/contract/topology.ts";
import { restartService } from "../faults/restart-service.ts";
import { defineKind } from "../kind.ts";
import { scraped, startedLater } from "../signs.ts";

export const kind = defineKind({
  title: "$service is restarted for maintenance, and works as before",
  faultClass: "none",
  changes: "process",
  targets: SERVICES,
  intensity: null,
  fault: (service) => restartService({ service }),
  signature: (service) => [startedLater(service, ">"), scraped(service, 1)],
  alerts: () => [],
});
