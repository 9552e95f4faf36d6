import type { Truth } from "../../lib/truth/truth.ts";

/** Ground truth and rubric; expected_rca.md is the text version. */
export const truth: Truth = {
  faults: [
    {
      culprit: "track-fusion",
      fault_class: "memory_leak",
      also_accept: [],
      remediation: {
        actions: ["fix_leak_and_redeploy", "roll_back", "restart_service"],
        target: "track-fusion",
      },
    },
  ],
  mechanism:
    "track-fusion keeps 10 KiB per source track for ever: its memory grows in a straight line to its limit, where the kernel kills it.",
  evidence: [
    {
      id: "growth",
      shows_mechanism: true,
      kind: "metric",
      describe: "its memory is high and grows",
      any_of: [
        { signal: "cms_fusion_memory_bytes", holds: { op: ">", value: 150000000 } },
        { signal: "container_memory_usage_bytes", holds: { op: ">", value: 150000000 } },
        { signal: "container_memory_rss", holds: { op: ">", value: 150000000 } },
        // It leaks about 460 kB per second, more than twice this threshold.
        { signal: "cms_fusion_memory_bytes", as: "rate", holds: { op: ">", value: 200000 } },
        { signal: "container_memory_usage_bytes", as: "rate", holds: { op: ">", value: 200000 } },
        { signal: "container_memory_rss", as: "rate", holds: { op: ">", value: 200000 } },
      ],
      service: "track-fusion",
    },
    {
      id: "limit",
      as_usual: true,
      kind: "runtime",
      describe: "it has a memory limit, or was already killed by it",
      any_of: [
        { signal: "container_spec_memory_limit_bytes", holds: { op: ">", value: 0 } },
        { signal: "container_oom_events_total", holds: { op: ">", value: 0 } },
        { signal: "container_exit_code", holds: { op: "==", value: 137 } },
      ],
      service: "track-fusion",
    },
    {
      id: "load-usual",
      as_usual: true,
      kind: "metric",
      describe: "its load is as usual, so the growth is its own",
      any_of: [
        { signal: "cms_fusion_ingested_total", as: "rate", holds: { op: "<", value: 60 } },
        { signal: "cms_fusion_published_total", as: "rate", holds: { op: "<", value: 60 } },
        { signal: "cms_fusion_queue_depth", holds: { op: "<", value: 100 } },
      ],
      service: "track-fusion",
    },
  ],
  misattributions: [
    { fault_class: "message_flood", points: -1, why: "the inflow is as usual" },
    { fault_class: "cpu_starvation", points: -1, why: "no quota throttles it" },
  ],
};
