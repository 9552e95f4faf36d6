import { replaceService } from "../faults/replace-service.ts";
import { defineKind } from "../kind.ts";

export const kind = defineKind({
  title: "$service rates every threat $amount points too low",
  faultClass: "bad_configuration",
  changes: "process",
  targets: ["threat-evaluator"],
  intensity: { unit: "points", min: 65, max: 100 },
  fault: (service, points) =>
    replaceService({ service, env: { CMS_THREAT_OFFSET: String(-points) } }),
  signature: () => [
    {
      what: "share of low assessments",
      query:
        'sum(rate(cms_threat_evaluated_total{job="cms-services",level="LOW"}[20s])) / sum(rate(cms_threat_evaluated_total{job="cms-services"}[20s]))',
      op: ">",
      value: 0.95,
    },
    {
      what: "critical/s",
      query: 'sum(rate(cms_threat_evaluated_total{job="cms-services",level="CRITICAL"}[20s]))',
      op: "==",
      value: 0,
      shows: {
        kind: "metric",
        signal: "cms_threat_evaluated_total",
        labels: { level: "CRITICAL" },
        as: "rate",
      },
    },
  ],
  alerts: () => [],
});
