/** A process that runs, is reached by its peers, and does no work. */
import { NORMS } from "../../contract/norms.ts";
import { must } from "../hypotheses/entailment.ts";
import type { Fault } from "../hypotheses/fault.ts";
import {
  RECEIVED,
  running,
  scrapesFail,
  SILENT_BYTES_PER_SECOND,
} from "../hypotheses/shared-claims.ts";
import { isNotThrottled } from "./cpu-starvation.ts";

export const fault: Fault = {
  entails: [
    running,
    must(scrapesFail),
    must({
      claim: "its peers still reach its interface",
      signal: "container_network_receive_bytes_total",
      promql: RECEIVED,
      holds: { op: ">", value: SILENT_BYTES_PER_SECOND },
    }),
    must({
      claim: "it uses hardly any processor time",
      signal: "container_cpu_usage_seconds_total",
      promql: 'rate(container_cpu_usage_seconds_total{name="$service"}[30s])',
      holds: { op: "<", value: NORMS.idleCores.value },
    }),
    isNotThrottled,
  ],
  states: ["mute", "unreachable"],
  words: /deadlock|\bhang(s|ing)?\b|\bhung\b|unresponsive/i,
};
