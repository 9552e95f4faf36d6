import { SERVICES } from "../../lib/contract/topology.ts";
import { crashAgain } from "../faults/crash-again.ts";
import { defineKind } from "../kind.ts";
import { downAlerts } from "../signs.ts";

export const kind = defineKind({
  title: "$service crashes every $amount s and is started again each time",
  faultClass: "crash_loop",
  changes: "process",
  targets: SERVICES,
  intensity: { unit: "s from start to crash", min: 8, max: 25 },
  fault: (service, everySeconds) => crashAgain({ service, everySeconds }),
  signature: (service) => [
    {
      what: "starts in 2 min",
      query: `changes(container_start_time_seconds{name="${service}"}[2m])`,
      op: ">",
      value: 2,
      shows: { kind: "runtime", signal: "container_start_time_seconds", as: "count", service },
    },
  ],
  alerts: (service) => [
    { uid: "service-restarting", labels: { name: service } },
    ...downAlerts(service),
  ],
  deadlines: { signatureMs: 120_000 },
});
