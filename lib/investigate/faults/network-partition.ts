/** A process that runs and whose network is cut off. */
import { must } from "../hypotheses/entailment.ts";
import type { Fault } from "../hypotheses/fault.ts";
import {
  RECEIVED,
  running,
  scrapesFail,
  SILENT_BYTES_PER_SECOND,
} from "../hypotheses/shared-claims.ts";

export const everyServiceAnswers = must({
  claim: "every service answers scrapes",
  signal: "up",
  promql: 'min(up{job="cms-services"})',
  holds: { op: "==", value: 1 },
  culprits: 'up{job="cms-services"} == 0',
});

export const fault: Fault = {
  entails: [
    running,
    must(scrapesFail),
    must({
      claim: "nothing arrives at its interface",
      signal: "container_network_receive_bytes_total",
      promql: RECEIVED,
      holds: { op: "<=", value: SILENT_BYTES_PER_SECOND },
    }),
  ],
  absent: everyServiceAnswers,
  states: ["unreachable"],
  words:
    /network[- ](partition|isolat|disconnect|loss|failure|issue|detach)|unreachable|connectivity/i,
};
