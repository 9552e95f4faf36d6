/** A process that keeps ending and being started again. */
import { NORMS } from "../../contract/norms.ts";
import { must } from "../hypotheses/entailment.ts";
import type { Fault } from "../hypotheses/fault.ts";

/**
 * Restarts beyond those that every service had: when the whole system starts, each service starts
 * once.
 */
export const startsWithinTenMinutes = (selector: string): string =>
  `changes(container_start_time_seconds${selector}[10m]) - scalar(min(changes(container_start_time_seconds[10m])))`;

const LOOP_STARTS = NORMS.loopStarts.value;

export const fault: Fault = {
  entails: [
    must({
      claim: "it was started several times within ten minutes",
      signal: "container_start_time_seconds",
      promql: startsWithinTenMinutes('{name="$service"}'),
      holds: { op: ">=", value: LOOP_STARTS },
      noData: "refutes",
    }),
  ],
  absent: must({
    claim: "no process is started again and again",
    signal: "container_start_time_seconds",
    promql: `max(${startsWithinTenMinutes("")})`,
    holds: { op: "<", value: LOOP_STARTS },
    culprits: `(${startsWithinTenMinutes("")}) >= ${LOOP_STARTS}`,
  }),
  states: ["exited", "mute"],
  words: /crash[- ]?loop|restart(s|ing|ed)? (repeatedly|continuously)/i,
};
