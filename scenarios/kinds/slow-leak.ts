import { replaceService } from "../faults/replace-service.ts";
import { defineKind } from "../kind.ts";
import { alertsNamed } from "../signs.ts";

export const kind = defineKind({
  title: "$service keeps $amount bytes of each source track for ever",
  faultClass: "memory_leak",
  changes: "process",
  targets: ["track-fusion"],
  intensity: { unit: "bytes per source track", min: 8192, max: 40_960, whole: true },
  fault: (service, bytes) =>
    replaceService({ service, env: { CMS_LEAK_RATE_BYTES: String(bytes) } }),
  signature: (service) => [
    {
      what: "growth bytes/s",
      query: `deriv(cms_fusion_memory_bytes{job="cms-services"}[30s])`,
      op: ">",
      value: 150_000,
      shows: { kind: "metric", signal: "cms_fusion_memory_bytes", as: "rate", service },
    },
  ],
  alerts: () => alertsNamed("fusion-memory-elevated", "memory-high"),
  deadlines: { signatureMs: 120_000, alertMs: 480_000 },
});
