import type { ServiceName } from "../../lib/contract/topology.ts";
import { cpuQuota } from "../faults/cpu-quota.ts";
import { defineKind } from "../kind.ts";
import { alertsNamed } from "../signs.ts";

const SECONDS: Partial<Record<ServiceName, string>> = {
  "track-fusion": "cms_fusion_processing_seconds",
  "threat-evaluator": "cms_threat_processing_seconds",
  "command-center": "cms_command_processing_seconds",
};
const p95 = (service: ServiceName): string =>
  `histogram_quantile(0.95, sum by (le) (rate(${SECONDS[service]}_bucket[1m])))`;

export const kind = defineKind({
  title: "$service gets $amount of the processor time that it uses",
  faultClass: "cpu_starvation",
  changes: "quota",
  targets: ["track-fusion", "threat-evaluator", "command-center"],
  intensity: { unit: "share of the usual processor time", min: 0.35, max: 0.6 },
  fault: (service, shareOfUsage) =>
    cpuQuota({ service, shareOfUsage, keepsUp: `${p95(service)} < 0.6` }),
  signature: (service) => [
    {
      what: "throttled s/s",
      query: `rate(container_cpu_cfs_throttled_seconds_total{name="${service}"}[30s])`,
      op: ">",
      value: 0.1,
      shows: {
        kind: "runtime",
        signal: "container_cpu_cfs_throttled_seconds_total",
        as: "rate",
        service,
      },
    },
  ],
  alerts: (service) => {
    const own: Partial<Record<ServiceName, string>> = {
      "track-fusion": "fusion-latency-high",
      "threat-evaluator": "evaluation-latency-high",
      "command-center": "command-latency-high",
    };
    return alertsNamed(own[service] ?? "service-down", "picture-late", "fusion-queue-deep");
  },
  deadlines: { signatureMs: 120_000, alertMs: 360_000 },
});
