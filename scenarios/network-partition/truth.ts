import type { Truth } from "../../lib/truth/truth.ts";

/** Ground truth and rubric; expected_rca.md is the text version. */
export const truth: Truth = {
  faults: [
    {
      culprit: "esm-sensor",
      fault_class: "network_partition",
      also_accept: [],
      remediation: { actions: ["restore_network"], target: "esm-sensor" },
    },
  ],
  mechanism:
    "esm-sensor's network is detached while its process keeps running: scrapes, exports and DDS peers all lose it.",
  evidence: [
    {
      id: "running",
      shows_mechanism: true,
      as_usual: true,
      kind: "runtime",
      describe: "esm-sensor's process still runs",
      any_of: [
        { signal: "container_state", holds: { op: "==", value: "running" } },
        {
          signal: "container_state",
          labels: { state: "running" },
          holds: { op: "==", value: 1 },
        },
        { signal: "container_last_seen" },
        { signal: "container_cpu_usage_seconds_total", as: "rate", holds: { op: ">", value: 0 } },
      ],
      service: "esm-sensor",
    },
    {
      id: "unreachable",
      shows_mechanism: true,
      kind: "metric",
      describe: "nothing reaches it or comes from it: its scrape fails and its traffic stops",
      any_of: [
        { signal: "up", service: "esm-sensor", holds: { op: "==", value: 0 } },
        {
          signal: "container_network_transmit_bytes_total",
          service: "esm-sensor",
          as: "rate",
          holds: { op: "==", value: 0 },
        },
        {
          signal: "container_network_receive_bytes_total",
          service: "esm-sensor",
          as: "rate",
          holds: { op: "==", value: 0 },
        },
        {
          signal: "cms_dds_matched_endpoints",
          labels: { topic: "SourceTrackTopic" },
          service: "track-fusion",
          holds: { op: "<", value: 3 },
        },
        { signal: "cms_fusion_ingested_total", as: "rate", holds: { op: "==", value: 0 } },
      ],
    },
  ],
  misattributions: [
    { fault_class: "process_exited", points: -1, why: "the process runs" },
    { culprit: "track-fusion", points: -2, why: "fusion only lost an input" },
  ],
};
