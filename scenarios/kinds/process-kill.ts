import { signalProcess } from "../faults/signal-process.ts";
import { defineKind } from "../kind.ts";
import { downAlerts, state } from "../signs.ts";
import { SERVICES } from "../../lib/contract/topology.ts";

export const kind = defineKind({
  title: "The process of $service is killed, and stays away",
  faultClass: "process_exited",
  changes: "process",
  targets: SERVICES,
  intensity: null,
  fault: (service) => signalProcess({ service, signal: "SIGKILL" }),
  signature: (service) => [
    state(service, "exited"),
    {
      what: "exit code",
      query: `container_exit_code{name="${service}"}`,
      op: "==",
      value: 137,
      shows: { kind: "runtime", signal: "container_exit_code", service },
    },
    {
      what: "kills for memory",
      query: `container_oom_events_total{name="${service}"} or vector(0)`,
      op: "==",
      value: 0,
    },
  ],
  alerts: downAlerts,
});
