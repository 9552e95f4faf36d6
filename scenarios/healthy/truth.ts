import type { Truth } from "../../lib/truth/truth.ts";

/** Ground truth and rubric; expected_rca.md is the text version. */
export const truth: Truth = {
  faults: [],
  mechanism:
    "eo-sensor was restarted; when the investigator looks, the alert has resolved and everything works.",
  evidence: [
    {
      id: "resolved",
      shows_mechanism: true,
      as_usual: true,
      kind: "metric",
      describe: "the alert no longer fires, or the sensor works again",
      any_of: [
        {
          signal: "ALERTS",
          labels: { alertstate: "firing" },
          as: "count",
          holds: { op: "==", value: 0 },
        },
        { signal: "alert_state", holds: { op: "contains", value: "inactive" } },
        { signal: "up", service: "eo-sensor", holds: { op: "==", value: 1 } },
        {
          signal: "container_state",
          service: "eo-sensor",
          holds: { op: "==", value: "running" },
        },
        {
          signal: "container_state",
          labels: { state: "running" },
          service: "eo-sensor",
          holds: { op: "==", value: 1 },
        },
        {
          signal: "cms_sensor_published_total",
          service: "eo-sensor",
          as: "rate",
          holds: { op: ">", value: 0 },
        },
        { signal: "sensor_started", service: "eo-sensor" },
      ],
    },
  ],
  misattributions: [
    { fault_class: "process_exited", points: -1, why: "no process is gone" },
    { fault_class: "network_partition", points: -1, why: "every service answers" },
  ],
};
