/** A network that works and loses or delays some packets. */
import { must } from "../hypotheses/entailment.ts";
import type { Fault } from "../hypotheses/fault.ts";
import { running } from "../hypotheses/shared-claims.ts";
import { nobodyIsThrottled } from "./cpu-starvation.ts";
import { nobodyFloods } from "./message-flood.ts";

export const fault: Fault = {
  entails: [
    running,
    must({
      claim: "samples are lost between writers and readers",
      signal: "cms_dds_samples_lost_total",
      promql: 'sum(increase(cms_dds_samples_lost_total{job="cms-services"}[2m]))',
      holds: { op: ">", value: 0 },
      noData: "refutes",
    }),
    // A reader that is starved loses what its peers send, too.
    nobodyIsThrottled,
    nobodyFloods,
  ],
  states: ["mute", "unreachable", "working"],
  words: /packet[- ](loss|delay)|dropped packets/i,
};
