import { SERVICES } from "../../lib/contract/topology.ts";
import { replaceService } from "../faults/replace-service.ts";
import { defineKind } from "../kind.ts";
import { downAlerts, state } from "../signs.ts";

export const kind = defineKind({
  title: "$service takes $amount MiB at once, more than its limit, and is killed",
  faultClass: "oom_kill",
  changes: "process",
  targets: SERVICES,
  intensity: { unit: "MiB", min: 512, max: 2048, whole: true },
  fault: (service, mebibytes) =>
    replaceService({ service, env: { CMS_HOLD_BYTES: String(mebibytes * 2 ** 20) } }),
  signature: (service) => [
    {
      what: "kills for memory",
      query: `container_oom_events_total{name="${service}"}`,
      op: ">",
      value: 0,
      shows: { kind: "runtime", signal: "container_oom_events_total", service },
    },
    state(service, "exited"),
  ],
  alerts: downAlerts,
});
