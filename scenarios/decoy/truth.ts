import type { Truth } from "../../lib/truth/truth.ts";

/** Ground truth and rubric; expected_rca.md is the text version. */
export const truth: Truth = {
  faults: [],
  mechanism:
    "A maintenance restart took ESM-2 out of the picture for some seconds; it is back, with a compatible profile and a slightly higher rate.",
  evidence: [
    {
      id: "delivered",
      shows_mechanism: true,
      as_usual: true,
      kind: "metric",
      describe: "ESM-2's source tracks arrive, or no endpoint is without a partner",
      any_of: [
        {
          signal: "cms_fusion_ingested_total",
          labels: { sensor_id: "ESM-2" },
          as: "rate",
          holds: { op: ">", value: 5 },
        },
        {
          signal: "cms_dds_matched_endpoints",
          service: "esm-sensor",
          holds: { op: ">", value: 0 },
        },
        { signal: "cms_dds_matched_endpoints", as: "least", holds: { op: ">", value: 0 } },
      ],
    },
  ],
  misattributions: [
    { fault_class: "process_exited", points: -1, why: "no process is gone" },
    {
      fault_class: "qos_mismatch",
      points: -1,
      why: "the override is compatible: everything arrives",
    },
    { fault_class: "message_flood", points: -1, why: "the rate is within the nominal load" },
  ],
};
