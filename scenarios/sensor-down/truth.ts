import type { Truth } from "../../lib/truth/truth.ts";

/** Ground truth and rubric; expected_rca.md is the text version. */
export const truth: Truth = {
  faults: [
    {
      culprit: "radar-sensor",
      fault_class: "process_exited",
      also_accept: [],
      remediation: { actions: ["start_service", "restart_service"], target: "radar-sensor" },
    },
  ],
  mechanism:
    "radar-sensor got SIGTERM, ended cleanly and stays stopped; its scrape target is gone.",
  evidence: [
    {
      id: "exited",
      shows_mechanism: true,
      kind: "runtime",
      describe: "radar-sensor's process has ended, cleanly, on a signal",
      any_of: [
        { signal: "container_state", holds: { op: "==", value: "exited" } },
        {
          signal: "container_state",
          labels: { state: "exited" },
          holds: { op: "==", value: 1 },
        },
        { signal: "container_exit_code", holds: { op: "==", value: 0 } },
        { signal: "service_stopping" },
        { signal: "signal_received" },
      ],
      service: "radar-sensor",
    },
  ],
  misattributions: [
    { fault_class: "network_partition", points: -1, why: "the process is gone, not unreachable" },
    { culprit: "track-fusion", points: -2, why: "fusion only lost an input" },
  ],
};
