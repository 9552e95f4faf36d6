/** A service that writes far too many log records. */
import { NORMS } from "../../contract/norms.ts";
import { must } from "../hypotheses/entailment.ts";
import type { Fault } from "../hypotheses/fault.ts";
import { answersScrapes } from "../hypotheses/shared-claims.ts";

const SIGNAL = "cms_log_records_total";
const PER_SERVICE = `sum by (instance) (rate(${SIGNAL}{job="cms-services"}[30s]))`;
const MAX_RATE = NORMS.recordRate.value;

export const fault: Fault = {
  entails: [
    answersScrapes,
    must({
      claim: "it writes log records at many times the usual rate",
      signal: SIGNAL,
      promql: `sum(rate(${SIGNAL}{job="cms-services",instance=~"$service:.+"}[30s]))`,
      holds: { op: ">", value: MAX_RATE },
      noData: "refutes",
    }),
  ],
  absent: must({
    claim: "no service floods the log",
    signal: SIGNAL,
    promql: `max(${PER_SERVICE})`,
    holds: { op: "<=", value: MAX_RATE },
    culprits: `${PER_SERVICE} > ${MAX_RATE}`,
  }),
  states: ["working"],
  words: /log[- ](flood|storm|spam|volume)|excessive logging/i,
};
