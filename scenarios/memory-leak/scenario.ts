import { allOf } from "../conditions.ts";
import { defineScenario } from "../define.ts";
import { replaceService } from "../faults/replace-service.ts";
import { truth } from "./truth.ts";

/** 256 MiB. */
const MEMORY_LIMIT_BYTES = 256 * 1024 * 1024;

export const scenario = defineScenario({
  title: "Track fusion leaks memory up to its limit",
  fault: replaceService({
    service: "track-fusion",
    env: { CMS_LEAK_RATE_BYTES: "10240" },
    memoryLimitBytes: MEMORY_LIMIT_BYTES,
  }),
  signature: {
    describe:
      "track-fusion has a memory limit and grows by more than 100 kB/s towards it, or was killed by it",
    holds: allOf(
      {
        what: "limit MiB",
        query: 'container_spec_memory_limit_bytes{name="track-fusion"} / 1048576',
        op: "==",
        value: 256,
      },
      {
        what: "growth kB/s (1000: killed)",
        query:
          '(max_over_time(container_oom_events_total{name="track-fusion"}[2m]) > 0) * 0 + 1000 or ' +
          'deriv(cms_fusion_memory_bytes{job="cms-services"}[30s]) / 1000',
        op: ">",
        value: 100,
      },
    ),
  },
  // Another limit ends the signature, but not the leak. Because of garbage collection the growth of
  // half a minute is sometimes zero, so memory is compared with age: a healthy process has at most
  // 103 MB in its first minutes, a leaking one 150 MB after 110 s.
  harm: {
    describe: "track-fusion has far more memory than a healthy one, or is too young to tell",
    holds: allOf({
      what: "resident MB (1000: killed, or younger than 110 s)",
      query:
        'max((container_oom_events_total{name="track-fusion"} > 0) * 0 + 1000 or ' +
        '(time() - container_start_time_seconds{name="track-fusion"} < 110) * 0 + 1000 or ' +
        'cms_fusion_memory_bytes{job="cms-services"} / 1000000)',
      op: ">",
      value: 130,
    }),
  },
  alert: { uid: "fusion-memory-elevated", labels: {} },
  // At 460 kB/s from about 100 MB to the rule's 200 MB plus the rule's minute: at most five
  // minutes.
  deadlines: { signatureMs: 120_000, alertMs: 480_000 },
  metric: {
    title: "Resident memory of track fusion, bytes",
    query: 'cms_fusion_memory_bytes{job="cms-services"}',
    threshold: 200_000_000,
  },
  truth,
});
