import type { Truth } from "../../lib/truth/truth.ts";

/** Ground truth and rubric; expected_rca.md is the text version. */
export const truth: Truth = {
  faults: [
    {
      culprit: "esm-sensor",
      fault_class: "qos_mismatch",
      also_accept: [],
      remediation: {
        actions: ["correct_qos_profile", "roll_back"],
        target: "esm-sensor",
      },
    },
  ],
  mechanism:
    "esm-sensor's writer offers EXCLUSIVE ownership, its readers ask for SHARED: discovery succeeds, nothing is delivered.",
  evidence: [
    {
      id: "incompatible",
      shows_mechanism: true,
      kind: "dds",
      describe: "an incompatible QoS is reported, or the override is in the log",
      any_of: [
        { signal: "cms_dds_incompatible_qos_total", holds: { op: ">", value: 0 } },
        { signal: "dds_incompatible_qos" },
        { signal: "dds_writer_ready", holds: { op: "contains", value: "EXCLUSIVE" } },
      ],
    },
    {
      id: "publishing",
      as_usual: true,
      kind: "metric",
      describe: "ESM-2 still publishes at its usual rate",
      any_of: [
        { signal: "cms_sensor_published_total", as: "rate", holds: { op: ">", value: 5 } },
        { signal: "sensor_heartbeat" },
      ],
      service: "esm-sensor",
    },
    {
      id: "not-arriving",
      kind: "metric",
      describe: "nothing of ESM-2 arrives, and it leaves the contributors",
      any_of: [
        { signal: "cms_fusion_ingested_total", as: "rate", holds: { op: "==", value: 0 } },
        {
          signal: "cms_fusion_contributors_changed_total",
          labels: { change: "removed" },
          holds: { op: ">", value: 0 },
        },
        { signal: "tactical_track_contributors_changed" },
        { signal: "cms_dds_matched_endpoints", holds: { op: "==", value: 0 } },
      ],
    },
  ],
  misattributions: [
    { culprit: "track-fusion", points: -1, why: "fusion only lost an input" },
    { fault_class: "process_exited", points: -1, why: "the sensor runs" },
    { fault_class: "network_partition", points: -1, why: "the sensor is scraped and discovered" },
  ],
};
