/** A process that the kernel killed at its memory limit, without a leak before. */
import { NORMS } from "../../contract/norms.ts";
import { must, supports } from "../hypotheses/entailment.ts";
import type { Fault } from "../hypotheses/fault.ts";
import { GROWING_SECONDS, SLOW_LEAK_SECONDS } from "./memory-leak.ts";

const KILLS = 'container_oom_events_total{name="$service"}';

export const notKilledForMemory = must({
  claim: "the kernel did not kill it for its memory",
  signal: "container_oom_events_total",
  promql: KILLS,
  holds: { op: "==", value: 0 },
});

export const fault: Fault = {
  entails: [
    must({
      claim: "the kernel killed it for its memory",
      signal: "container_oom_events_total",
      promql: KILLS,
      holds: { op: ">=", value: 1 },
      noData: "refutes",
    }),
    must({
      claim: "its memory did not grow for long before",
      signal: "container_memory_usage_bytes",
      promql: `${GROWING_SECONDS} or on () vector(0)`,
      holds: { op: "<", value: SLOW_LEAK_SECONDS },
    }),
    supports({
      claim: "a signal 9 ended it",
      signal: "container_exit_code",
      promql: 'container_exit_code{name="$service"}',
      holds: { op: "==", value: NORMS.killedExitCode.value },
    }),
  ],
  states: ["exited"],
  words: /\boom\b|out[- ]of[- ]memory|oom[- ]?kill/i,
};
