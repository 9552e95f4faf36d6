import type { Truth } from "../../lib/truth/truth.ts";

/** Ground truth and rubric; expected_rca.md is the text version. */
export const truth: Truth = {
  faults: [
    {
      culprit: "radar-sensor",
      fault_class: "message_flood",
      also_accept: [],
      remediation: {
        actions: ["reduce_publish_rate", "correct_configuration", "roll_back"],
        target: "radar-sensor",
      },
    },
  ],
  mechanism:
    "radar-sensor publishes at 200 Hz instead of 10 Hz, some 600 source tracks per second; fusion only bears it.",
  evidence: [
    {
      id: "rate",
      shows_mechanism: true,
      kind: "metric",
      describe: "RADAR-1 publishes far above every nominal rate",
      any_of: [
        { signal: "cms_sensor_published_total", as: "rate", holds: { op: ">", value: 100 } },
      ],
      service: "radar-sensor",
    },
    {
      id: "target-rate",
      kind: "log",
      describe: "its own target rate, or the rate it observes, is abnormal",
      any_of: [
        { signal: "sensor_started", holds: { op: "contains", value: "200" } },
        {
          signal: "sensor_heartbeat",
          holds: { op: "contains", value: "publish_rate_hz_observed" },
        },
      ],
      service: "radar-sensor",
    },
    {
      id: "symptom",
      kind: "metric",
      describe: "track-fusion takes in many times its usual load",
      any_of: [
        { signal: "cms_fusion_ingested_total", as: "rate", holds: { op: ">", value: 100 } },
        { signal: "cms_fusion_published_total", as: "rate", holds: { op: ">", value: 100 } },
        { signal: "cms_fusion_queue_depth", holds: { op: ">", value: 10 } },
        // It normally uses 0.017 to 0.025 cores, and 0.09 under this flood.
        {
          signal: "container_cpu_usage_seconds_total",
          as: "rate",
          holds: { op: ">", value: 0.05 },
        },
      ],
      service: "track-fusion",
    },
  ],
  misattributions: [{ culprit: "track-fusion", points: -1, why: "fusion is the symptom" }],
};
