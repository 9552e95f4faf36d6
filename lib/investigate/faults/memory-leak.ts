/** A process whose memory grows without bound. */
import { NORMS } from "../../contract/norms.ts";
import { must, supports } from "../hypotheses/entailment.ts";
import type { Fault } from "../hypotheses/fault.ts";
import { DEEP_QUEUE, QUEUE } from "../hypotheses/shared-claims.ts";
import { nobodyFloods } from "./message-flood.ts";

/** Less is what warming up and a collector's rhythm amount to. */
const LEAK_BYTES_PER_SECOND = NORMS.leakBytes.value;
const WARM_UP_SECONDS = NORMS.leakWarmUpSeconds.value;
const STEADY_SECONDS = NORMS.leakSteadySeconds.value;
/** A sudden demand reaches the limit sooner. */
export const SLOW_LEAK_SECONDS = NORMS.leakBeforeKillSeconds.value;
const GROWN = NORMS.leakGrowth.value;

const SIGNAL = "container_memory_usage_bytes";
const olderThan = (seconds: number): string =>
  `(time() - container_start_time_seconds) > ${seconds}`;
const slope = (selector: string): string => `deriv(${SIGNAL}${selector}[1m])`;
const SLOPE = slope('{name="$service"}');
/**
 * The smallest slope of the memory within two minutes: the rhythm of a collector has pauses, a leak
 * has none. Only for a process that was warm before, because all memory grows at first.
 */
const steadySlope = (selector: string): string =>
  `min_over_time((${slope(selector)})[${STEADY_SECONDS}s:10s]) and on (name) ${olderThan(WARM_UP_SECONDS + STEADY_SECONDS)}`;
/**
 * Seconds in which the memory of the warm process grew within the last ten minutes; no data when it
 * did not grow.
 */
export const GROWING_SECONDS = `10 * count_over_time((${SLOPE} > ${LEAK_BYTES_PER_SECOND} and on (name) ${olderThan(WARM_UP_SECONDS)})[10m:10s])`;
/** A process that was killed for its memory is judged by how it grew before. */
const GROWTH =
  `${steadySlope('{name="$service"}')} and on (name) container_oom_events_total == 0 ` +
  `or max_over_time((${SLOPE})[10m:10s]) and on (name) container_oom_events_total > 0 and on (name) ${GROWING_SECONDS} >= ${SLOW_LEAK_SECONDS}`;

export const fault: Fault = {
  entails: [
    must({
      claim: "its memory grows without a pause",
      signal: SIGNAL,
      promql: GROWTH,
      begins: SLOPE,
      holds: { op: ">", value: LEAK_BYTES_PER_SECOND },
      noData: "refutes",
    }),
    must({
      claim: "no waiting work explains the growth",
      signal: "cms_fusion_queue_depth",
      // The last that was seen of it, also of a process that has gone since.
      promql: `max(last_over_time(${QUEUE}[5m]))`,
      holds: { op: "<", value: DEEP_QUEUE },
    }),
    // A service that gets many times the usual load needs more memory for it.
    nobodyFloods,
    supports({
      // Every service has a limit; few come near it.
      claim: "it uses much of the memory that it may",
      signal: SIGNAL,
      promql: `${SIGNAL}{name="$service"} / on (name) container_spec_memory_limit_bytes{name="$service"}`,
      holds: { op: ">", value: NORMS.limitShare.value },
    }),
    supports({
      claim: "it uses far more memory than it did",
      signal: SIGNAL,
      promql: `max_over_time(${SIGNAL}{name="$service"}[5m]) > ${GROWN} * min_over_time(${SIGNAL}{name="$service"}[10m])`,
      holds: { op: ">", value: 0 },
    }),
  ],
  absent: must({
    claim: "no service's memory grows without a pause",
    signal: SIGNAL,
    promql: `max(${steadySlope("")})`,
    holds: { op: "<=", value: LEAK_BYTES_PER_SECOND },
    culprits: `(${steadySlope("")}) > ${LEAK_BYTES_PER_SECOND}`,
  }),
  states: ["working", "overloaded", "exited"],
  words: /memory[- ](leak|growth|grow)|leak(s|ing|ed)? memory/i,
};
