/** A process that ended and stays stopped. */
import { must, supports } from "../hypotheses/entailment.ts";
import type { Fault } from "../hypotheses/fault.ts";
import { hasState, scrapesFail } from "../hypotheses/shared-claims.ts";
import { startsWithinTenMinutes } from "./crash-loop.ts";
import { notKilledForMemory } from "./oom-kill.ts";

export const fault: Fault = {
  entails: [
    must({
      claim: "its process has exited",
      signal: "container_state",
      promql: hasState("exited"),
      holds: { op: "==", value: 1 },
    }),
    notKilledForMemory,
    must({
      claim: "it is not started again and again",
      signal: "container_start_time_seconds",
      promql: startsWithinTenMinutes('{name="$service"}'),
      holds: { op: "<=", value: 1 },
    }),
    supports(scrapesFail),
    supports({
      claim: "it ended without an error",
      signal: "container_exit_code",
      promql: 'container_exit_code{name="$service"}',
      holds: { op: "==", value: 0 },
    }),
  ],
  absent: must({
    claim: "no process has exited",
    signal: "container_state",
    promql: 'sum(container_state{state="exited"})',
    holds: { op: "==", value: 0 },
    culprits: 'container_state{state="exited"} == 1',
  }),
  states: ["exited"],
  words:
    /\bexited\b|\bstopp(ed|ing)\b|terminated|shut ?down|not running|crashed|process (is )?(down|gone)|sigterm/i,
};
