import { replaceService } from "../faults/replace-service.ts";
import { defineKind } from "../kind.ts";

export const kind = defineKind({
  title: "$service takes aircraft for missiles and missiles for aircraft, in a share of $amount",
  faultClass: "data_quality",
  changes: "process",
  targets: ["esm-sensor", "track-fusion"],
  intensity: { unit: "share of the messages", min: 0.8, max: 1 },
  fault: (service, share) =>
    replaceService({ service, env: { CMS_OUTPUT: `misclassified:${share}` } }),
  signature: () => [
    {
      what: "share of assessments as HIGH",
      query:
        'sum(rate(cms_threat_evaluated_total{job="cms-services",level="HIGH"}[20s])) / sum(rate(cms_threat_evaluated_total{job="cms-services"}[20s]))',
      op: ">",
      value: 0.5,
      shows: {
        kind: "metric",
        signal: "cms_threat_evaluated_total",
        labels: { level: "HIGH" },
        as: "rate",
      },
    },
  ],
  alerts: () => [],
});
