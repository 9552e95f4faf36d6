/** A slow consumer that makes those before it wait or drop. */
import { must } from "../hypotheses/entailment.ts";
import type { Fault } from "../hypotheses/fault.ts";
import { DEEP_QUEUE, QUEUE, running } from "../hypotheses/shared-claims.ts";
import { isNotThrottled } from "./cpu-starvation.ts";
import { nobodyFloods } from "./message-flood.ts";

const ANY_QUEUE = 'cms_fusion_queue_depth{job="cms-services"}';

export const fault: Fault = {
  entails: [
    running,
    must({
      claim: "work waits in its queue",
      signal: "cms_fusion_queue_depth",
      promql: `max(${QUEUE})`,
      holds: { op: ">", value: DEEP_QUEUE },
      noData: "refutes",
    }),
    isNotThrottled,
    nobodyFloods,
  ],
  absent: must({
    claim: "no work piles up",
    signal: "cms_fusion_queue_depth",
    promql: `max(${ANY_QUEUE})`,
    holds: { op: "<", value: DEEP_QUEUE },
    culprits: `${ANY_QUEUE} >= ${DEEP_QUEUE}`,
  }),
  states: ["overloaded"],
  words: /back-?pressure|queue (depth|full|build|backlog)/i,
};
