/** Timely messages with wrong content: readers refuse them or interpret them wrongly. */
import { NORMS } from "../../contract/norms.ts";
import { TOPOLOGY, SERVICES } from "../../contract/topology.ts";
import { must } from "../hypotheses/entailment.ts";
import type { Fault } from "../hypotheses/fault.ts";
import {
  answersScrapes,
  noQosRefused,
  refusedQuery,
  running,
} from "../hypotheses/shared-claims.ts";

const SENSORS = SERVICES.filter((name) => TOPOLOGY[name].sensorId !== undefined).join("|");

export const fault: Fault = {
  entails: [
    running,
    answersScrapes,
    must({
      claim: "fusion refuses content, or makes more tracks than there are targets",
      signal: "cms_fusion_refused_total",
      promql: `(${refusedQuery("not_finite|not_positive|unknown_sensor")} > bool 0) + scalar(max(cms_fusion_active_tracks{job="cms-services"} > bool ${NORMS.usualTracks.value}))`,
      holds: { op: ">=", value: 1 },
      noData: "refutes",
    }),
    must({
      claim: "it measures what others take in",
      signal: "up",
      promql: `count(up{job="cms-services",instance=~"$service:.+"} and on (instance) up{instance=~"(${SENSORS}):.+"}) or vector(0)`,
      holds: { op: "==", value: 1 },
    }),
    noQosRefused,
  ],
  states: ["working"],
  words: /data quality|corrupt(ed)? data|invalid data/i,
};
