/** A publisher that sends far more messages than it should. */
import { NORMS } from "../../contract/norms.ts";
import { SERVICES, TOPOLOGY } from "../../contract/topology.ts";
import { must, supports } from "../hypotheses/entailment.ts";
import type { Fault } from "../hypotheses/fault.ts";
import { answersScrapes, NOMINAL_LOAD_HZ, PUBLISHED } from "../hypotheses/shared-claims.ts";

const FLOOD_RATIO = NORMS.floodRatio.value;
const SIGNAL = "cms_sensor_published_total";

/**
 * The rate of each sensor in multiples of its nominal rate. A comparison with the other sensors
 * would fail: when one of them falls silent, the loudest sends many times as much as the rest.
 */
const AGAINST_NOMINAL = SERVICES.flatMap((name) => {
  const { sensorId, nominalRateHz } = TOPOLOGY[name];
  if (nominalRateHz === undefined) return [];
  return [`rate(${PUBLISHED},sensor_id="${sensorId}"}[30s]) / ${nominalRateHz}`];
}).join(" or ");

const rateOf = (counter: string): string =>
  `sum(rate(${counter}{job="cms-services",instance=~"$service:.+"}[30s]))`;

export const nobodyFloods = must({
  claim: "no sensor publishes many times its nominal rate",
  signal: SIGNAL,
  promql: `max(${AGAINST_NOMINAL})`,
  holds: { op: "<", value: FLOOD_RATIO },
  culprits: `(${AGAINST_NOMINAL}) >= ${FLOOD_RATIO}`,
});

export const fault: Fault = {
  entails: [
    answersScrapes,
    must({
      claim: "it publishes many times its nominal rate",
      signal: SIGNAL,
      promql: `max((${AGAINST_NOMINAL}) and on (instance) ${PUBLISHED},instance=~"$service:.+"})`,
      holds: { op: ">=", value: FLOOD_RATIO },
    }),
    must({
      claim: "what it sends is more than what it takes in",
      signal: "cms_fusion_published_total",
      promql: `${rateOf("cms_fusion_published_total")} / ${rateOf("cms_fusion_ingested_total")}`,
      holds: { op: ">", value: NORMS.outputRatio.value },
    }),
    supports({
      claim: "alone it publishes more than all sensors together should",
      signal: SIGNAL,
      promql: rateOf(SIGNAL),
      holds: { op: ">", value: NOMINAL_LOAD_HZ },
    }),
  ],
  absent: nobodyFloods,
  states: ["overloaded", "working"],
  words:
    /(?<!log[- ])flood|excessive (message|publish|rate)|(publish|message)[- ]rate|too many messages/i,
};
