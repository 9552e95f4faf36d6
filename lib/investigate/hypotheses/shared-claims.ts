/**
 * Claims about a service that several fault classes entail, and the PromQL that their files share.
 */
import { NORMS } from "../../contract/norms.ts";
import { SERVICES, TOPOLOGY } from "../../contract/topology.ts";
import { type Draft, must } from "./entailment.ts";

/** Maximum number of source tracks per second that all sensors publish together. */
export const NOMINAL_LOAD_HZ = SERVICES.reduce(
  (sum, name) => sum + (TOPOLOGY[name].nominalRateHz ?? 0),
  0,
);
/** Number of waiting items. A queue that keeps up is emptied many times a second. */
export const DEEP_QUEUE = NORMS.deepQueueSeconds.value * NOMINAL_LOAD_HZ;

export const PUBLISHED = 'cms_sensor_published_total{job="cms-services"';
export const QUEUE = 'cms_fusion_queue_depth{job="cms-services",instance=~"$service:.+"}';

export const hasState = (state: string): string =>
  `container_state{name="$service",state="${state}"}`;

const UP = 'max(up{job="cms-services",instance=~"$service:.+"})';

export const running = must({
  claim: "its process runs",
  signal: "container_state",
  promql: hasState("running"),
  holds: { op: "==", value: 1 },
});

export const answersScrapes = must({
  claim: "it answers scrapes",
  signal: "up",
  promql: UP,
  holds: { op: "==", value: 1 },
});

export const scrapesFail: Draft = {
  claim: "its scrapes fail",
  signal: "up",
  promql: UP,
  holds: { op: "==", value: 0 },
};

/** A service that its peers can reach receives more than this from scrapes and discovery alone. */
export const SILENT_BYTES_PER_SECOND = NORMS.silentBytes.value;
export const RECEIVED = 'rate(container_network_receive_bytes_total{name="$service"}[30s])';

export const matchesNobody: Draft = {
  claim: "an endpoint of it matches nobody",
  signal: "cms_dds_matched_endpoints",
  promql: 'min(cms_dds_matched_endpoints{job="cms-services",instance=~"$service:.+"})',
  holds: { op: "==", value: 0 },
};

/** How often an endpoint of the service and a peer refused each other's QoS. */
export const INCOMPATIBLE =
  'sum(cms_dds_incompatible_qos_total{job="cms-services",instance=~"$service:.+"})';

export const noQosRefused = must({
  claim: "no QoS was refused",
  signal: "cms_dds_incompatible_qos_total",
  promql: `${INCOMPATIBLE} or vector(0)`,
  holds: { op: "==", value: 0 },
});

/** Source tracks per second that fusion refuses for these reasons. */
export const refusedQuery = (reasons: string): string =>
  `sum(rate(cms_fusion_refused_total{job="cms-services",reason=~"${reasons}"}[30s]))`;

export const refusedFor = (reasons: string, what: string): Draft => ({
  claim: `fusion refuses source tracks for ${what}`,
  signal: "cms_fusion_refused_total",
  promql: refusedQuery(reasons),
  holds: { op: ">", value: 0 },
  noData: "refutes",
});
