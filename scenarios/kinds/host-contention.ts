import { busyHost } from "../faults/busy-host.ts";
import { defineKind } from "../kind.ts";

export const kind = defineKind({
  title: "$amount programs beside the system burn the processor time of its machine",
  faultClass: "host_contention",
  culprit: "host",
  alone: true,
  changes: "machine",
  // Represents the machine on which all services run.
  targets: ["track-fusion"],
  intensity: { unit: "programs", min: 4, max: 64, whole: true },
  fault: (_, burners) => busyHost({ burners }),
  signature: () => [
    {
      what: "services late at once",
      query:
        'count(increase(cms_log_records_total{job="cms-services",instance=~".+-sensor:.+",level="WARN"}[1m]) > 0)',
      op: ">",
      value: 1,
      shows: {
        kind: "metric",
        signal: "cms_log_records_total",
        labels: { level: "WARN" },
      },
    },
    {
      what: "services throttled",
      query: "count(rate(container_cpu_cfs_throttled_seconds_total[30s]) > 0) or vector(0)",
      op: "==",
      value: 0,
    },
  ],
  alerts: () => [],
});
