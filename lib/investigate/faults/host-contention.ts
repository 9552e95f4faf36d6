/** Other load on the machine that affects many services at once. */
import { NORMS } from "../../contract/norms.ts";
import { must } from "../hypotheses/entailment.ts";
import type { Fault } from "../hypotheses/fault.ts";
import { nobodyIsThrottled } from "./cpu-starvation.ts";
import { everyEndpointMatches } from "./discovery-failure.ts";
import { nobodyFloods } from "./message-flood.ts";
import { everyServiceAnswers } from "./network-partition.ts";

export const fault: Fault = {
  culprit: "host",
  entails: [
    must({
      claim: "several sensors warn often at once",
      signal: "cms_log_records_total",
      promql: `count(increase(cms_log_records_total{job="cms-services",instance=~".+-sensor:.+",level="WARN"}[1m]) > ${NORMS.oftenPerMinute.value}) or vector(0)`,
      holds: { op: ">=", value: NORMS.lateServices.value },
    }),
    // A service that is gone, refused, throttled or flooding makes others warn by itself.
    everyServiceAnswers,
    everyEndpointMatches,
    nobodyIsThrottled,
    nobodyFloods,
  ],
  states: ["overloaded", "working"],
  words: /noisy neighbou?r|host contention|(other|foreign) load on the (machine|host)/i,
};
