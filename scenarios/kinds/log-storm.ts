import { SERVICES } from "../../lib/contract/topology.ts";
import { replaceService } from "../faults/replace-service.ts";
import { defineKind } from "../kind.ts";
import { instanceOf } from "../signs.ts";

export const kind = defineKind({
  title: "$service writes $amount log records per second for debugging",
  faultClass: "log_flood",
  changes: "process",
  targets: SERVICES,
  intensity: { unit: "log records per second", min: 40, max: 400, whole: true },
  fault: (service, lines) => replaceService({ service, env: { CMS_DEBUG_LINES: String(lines) } }),
  signature: (service) => [
    {
      what: "log records/s",
      query: `sum(rate(cms_log_records_total{job="cms-services",instance="${instanceOf(service)}"}[15s]))`,
      op: ">",
      value: 20,
      shows: { kind: "metric", signal: "cms_log_records_total", as: "rate", service },
    },
  ],
  alerts: (service) => [{ uid: "log-volume-high", labels: { instance: instanceOf(service) } }],
});
