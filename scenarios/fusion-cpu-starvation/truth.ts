import type { Truth } from "../../lib/truth/truth.ts";

/** Ground truth and rubric; expected_rca.md is the text version. */
export const truth: Truth = {
  faults: [
    {
      culprit: "track-fusion",
      fault_class: "cpu_starvation",
      also_accept: [],
      remediation: { actions: ["raise_cpu_quota"], target: "track-fusion" },
    },
  ],
  mechanism:
    "A processor quota holds track-fusion back: source tracks wait in its queue and the latency rises.",
  evidence: [
    {
      id: "throttled",
      shows_mechanism: true,
      kind: "runtime",
      describe: "the scheduler throttles track-fusion for a quota",
      any_of: [
        { signal: "container_cpu_cfs_throttled_seconds_total", holds: { op: ">", value: 0 } },
        { signal: "container_cpu_cfs_throttled_periods_total", holds: { op: ">", value: 0 } },
        { signal: "container_spec_cpu_quota", holds: { op: ">", value: 0 } },
      ],
      service: "track-fusion",
    },
    {
      id: "latency",
      kind: "metric",
      describe: "processing takes far longer than usual, or the queue is deep",
      any_of: [
        { signal: "cms_fusion_processing_seconds", as: "duration", holds: { op: ">", value: 0.5 } },
        { signal: "cms_fusion_queue_depth", holds: { op: ">", value: 10 } },
      ],
      service: "track-fusion",
    },
  ],
  misattributions: [
    { fault_class: "message_flood", points: -1, why: "the inflow is as usual" },
    { culprit: "esm-sensor", points: -2, why: "no sensor changed" },
    { culprit: "radar-sensor", points: -2, why: "no sensor changed" },
  ],
};
