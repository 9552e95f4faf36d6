import { replaceService } from "../faults/replace-service.ts";
import { defineKind } from "../kind.ts";

const orders = (action: string): string =>
  `sum(rate(cms_orders_issued_total{job="cms-services",action="${action}"}[45s]))`;

export const kind = defineKind({
  title: "$service only monitors: ordering engagements is switched off",
  faultClass: "bad_configuration",
  changes: "process",
  targets: ["command-center"],
  intensity: null,
  fault: (service) => replaceService({ service, env: { CMS_ENGAGE: "off" } }),
  signature: () => [
    {
      what: "engagements ordered/s",
      query: orders("ENGAGE"),
      op: "==",
      value: 0,
      shows: {
        kind: "metric",
        signal: "cms_orders_issued_total",
        labels: { action: "ENGAGE" },
        as: "rate",
      },
    },
    { what: "monitoring ordered/s", query: orders("MONITOR"), op: ">", value: 0 },
    {
      what: "dangerous threats/s",
      query:
        'sum(rate(cms_threat_evaluated_total{job="cms-services",level=~"HIGH|CRITICAL"}[20s]))',
      op: ">",
      value: 0,
    },
  ],
  alerts: () => [],
});
