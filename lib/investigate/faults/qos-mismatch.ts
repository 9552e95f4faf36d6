/** Endpoints that find each other and refuse each other's QoS. */
import { must, supports } from "../hypotheses/entailment.ts";
import type { Fault } from "../hypotheses/fault.ts";
import {
  answersScrapes,
  INCOMPATIBLE,
  matchesNobody,
  PUBLISHED,
} from "../hypotheses/shared-claims.ts";

export const fault: Fault = {
  entails: [
    answersScrapes,
    must({
      claim: "its endpoints and their peers refuse each other's QoS",
      signal: "cms_dds_incompatible_qos_total",
      promql: INCOMPATIBLE,
      holds: { op: ">", value: 0 },
      noData: "refutes",
    }),
    must(matchesNobody),
    supports({
      claim: "it still publishes",
      signal: "cms_sensor_published_total",
      promql: `sum(rate(${PUBLISHED},instance=~"$service:.+"}[30s]))`,
      holds: { op: ">", value: 0 },
    }),
  ],
  states: ["mute"],
  words: /\bqos\b|quality[- ]of[- ]service/i,
};
