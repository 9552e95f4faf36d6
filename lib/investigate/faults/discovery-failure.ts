/** Endpoints that never find each other. */
import { must } from "../hypotheses/entailment.ts";
import type { Fault } from "../hypotheses/fault.ts";
import { answersScrapes, INCOMPATIBLE, matchesNobody } from "../hypotheses/shared-claims.ts";

const MATCHED = 'cms_dds_matched_endpoints{job="cms-services"}';

export const everyEndpointMatches = must({
  claim: "every endpoint matches somebody",
  signal: "cms_dds_matched_endpoints",
  promql: `min(${MATCHED})`,
  holds: { op: ">", value: 0 },
  culprits: `${MATCHED} == 0`,
});

export const fault: Fault = {
  entails: [
    answersScrapes,
    must({ ...matchesNobody, noData: "refutes" }),
    must({
      claim: "no QoS was refused",
      signal: "cms_dds_incompatible_qos_total",
      promql: `${INCOMPATIBLE} or vector(0)`,
      holds: { op: "==", value: 0 },
    }),
  ],
  absent: everyEndpointMatches,
  states: ["mute"],
  words: /discovery|wrong (dds )?domain/i,
};
