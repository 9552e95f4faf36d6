/** A process that a quota or its host keeps from the processor time that it wants. */
import { NORMS } from "../../contract/norms.ts";
import { must, supports } from "../hypotheses/entailment.ts";
import type { Fault } from "../hypotheses/fault.ts";
import { DEEP_QUEUE, QUEUE, running } from "../hypotheses/shared-claims.ts";

const THROTTLED_SHARE = NORMS.throttledShare.value;

const SIGNAL = "container_cpu_cfs_throttled_seconds_total";
const throttled = (selector: string): string => `rate(${SIGNAL}${selector}[1m])`;

export const isNotThrottled = must({
  claim: "no processor quota holds it back",
  signal: SIGNAL,
  promql: throttled('{name="$service"}'),
  holds: { op: "<", value: THROTTLED_SHARE },
});

export const nobodyIsThrottled = must({
  claim: "no service is held back by a quota",
  signal: SIGNAL,
  promql: `max(${throttled("")})`,
  holds: { op: "<", value: THROTTLED_SHARE },
  culprits: `${throttled("")} >= ${THROTTLED_SHARE}`,
});

export const fault: Fault = {
  entails: [
    running,
    must({
      claim: "the scheduler holds it back",
      signal: SIGNAL,
      promql: throttled('{name="$service"}'),
      holds: { op: ">=", value: THROTTLED_SHARE },
      noData: "refutes",
    }),
    supports({
      claim: "it has a processor quota",
      signal: "container_spec_cpu_quota",
      promql: 'container_spec_cpu_quota{name="$service"}',
      holds: { op: ">", value: 0 },
    }),
    supports({
      claim: "work waits in its queue",
      signal: "cms_fusion_queue_depth",
      promql: `max(${QUEUE})`,
      holds: { op: ">", value: DEEP_QUEUE },
    }),
    supports({
      claim: "it takes long for each item",
      signal: "cms_fusion_processing_seconds",
      promql:
        'histogram_quantile(0.95, sum by (le) (rate(cms_fusion_processing_seconds_bucket{job="cms-services",instance=~"$service:.+"}[1m])))',
      holds: { op: ">", value: NORMS.slowSeconds.value },
    }),
  ],
  absent: nobodyIsThrottled,
  states: ["throttled", "overloaded"],
  words: /throttl|cpu[- ](starv|quota|limit|saturat|exhaust|contention|resource)/i,
};
