import { stopProcess } from "../faults/stop-process.ts";
import { defineKind } from "../kind.ts";
import { downAlerts, state } from "../signs.ts";
import { SERVICES } from "../../lib/contract/topology.ts";

export const kind = defineKind({
  title: "The process of $service is told to stop, and stays stopped",
  faultClass: "process_exited",
  changes: "process",
  targets: SERVICES,
  intensity: null,
  fault: (service) => stopProcess({ service }),
  signature: (service) => [
    state(service, "exited"),
    {
      what: "exit code",
      query: `container_exit_code{name="${service}"}`,
      op: "==",
      value: 0,
    },
  ],
  alerts: downAlerts,
});
