/** A publisher that runs and finds its readers, but sends nothing, far too little, or too late. */
import { NORMS } from "../../contract/norms.ts";
import { SERVICES, type ServiceName, TOPOLOGY } from "../../contract/topology.ts";
import { must } from "../hypotheses/entailment.ts";
import type { Fault } from "../hypotheses/fault.ts";
import { answersScrapes, noQosRefused, running } from "../hypotheses/shared-claims.ts";
import { nobodyIsThrottled } from "./cpu-starvation.ts";
import { nobodyFloods } from "./message-flood.ts";

const JOB = 'job="cms-services"';
const COUNTED: Partial<Record<ServiceName, string>> = {
  "track-fusion": "cms_fusion_published_total",
  "threat-evaluator": "cms_threat_evaluated_total",
};

/** The share of each publisher's nominal rate that arrives at a reader, by instance. */
const ARRIVING = SERVICES.flatMap((name) => {
  const { sensorId, nominalRateHz, publishes } = TOPOLOGY[name];
  const instance = (query: string): string =>
    `label_replace(${query}, "instance", "${name}:", "", "")`;
  if (nominalRateHz !== undefined) {
    return [
      instance(
        `sum(rate(cms_fusion_ingested_total{${JOB},sensor_id="${sensorId}"}[30s])) / ${nominalRateHz}`,
      ),
    ];
  }
  const counter = COUNTED[name];
  if (counter === undefined) return [];
  return [
    instance(
      `sum(rate(cms_display_received_total{${JOB},topic="${publishes[0]}"}[30s])) / sum(rate(${counter}{${JOB}}[30s]))`,
    ),
  ];
}).join(" or ");

const LEAST = NORMS.arrivingShare.value;

export const isMuteOrSlow = must({
  claim: "far less of it arrives than it should send",
  signal: "cms_fusion_ingested_total",
  promql: `max((${ARRIVING}) and on (instance) label_replace(up{${JOB},instance=~"$service:.+"}, "instance", "$1:", "instance", "(.+):.+"))`,
  holds: { op: "<", value: LEAST },
  noData: "refutes",
});

export const fault: Fault = {
  entails: [
    running,
    answersScrapes,
    isMuteOrSlow,
    must({
      claim: "each of its endpoints finds its peers",
      signal: "cms_dds_matched_endpoints",
      promql: `min(cms_dds_matched_endpoints{${JOB},instance=~"$service:.+"})`,
      holds: { op: ">", value: 0 },
      noData: "refutes",
    }),
    noQosRefused,
    must({
      claim: "fusion refuses nothing",
      signal: "cms_fusion_refused_total",
      promql: `sum(rate(cms_fusion_refused_total{${JOB}}[30s])) or vector(0)`,
      holds: { op: "==", value: 0 },
    }),
    must({
      claim: "no sample was lost on the way",
      signal: "cms_dds_samples_lost_total",
      promql: `sum(rate(cms_dds_samples_lost_total{${JOB}}[30s])) or vector(0)`,
      holds: { op: "==", value: 0 },
    }),
    // What arrives is counted by the readers: a throttled or flooded one takes in less than was
    // sent.
    nobodyIsThrottled,
    nobodyFloods,
  ],
  states: ["mute", "working"],
  words: /slow publisher|mute(d)? (publisher|writer)|publishes (too little|nothing)/i,
};
