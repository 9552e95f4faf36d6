/** Endpoints that never find each other. */
import { must } from "../hypotheses/entailment.ts";
import type { Fault } from "../hypotheses/fault.ts";
import { answersScrapes, matchesNobody, noQosRefused } from "../hypotheses/shared-claims.ts";

const MATCHED = 'cms_dds_matched_endpoints{job="cms-services"}';

export const everyEndpointMatches = must({
  claim: "every endpoint matches somebody",
  signal: "cms_dds_matched_endpoints",
  promql: `min(${MATCHED})`,
  holds: { op: ">", value: 0 },
  culprits: `${MATCHED} == 0`,
});

export const fault: Fault = {
  entails: [answersScrapes, must({ ...matchesNobody, noData: "refutes" }), noQosRefused],
  absent: everyEndpointMatches,
  states: ["mute"],
  words: /discovery|wrong (dds )?domain/i,
};
