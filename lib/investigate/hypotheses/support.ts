/** Evidence beyond what refuted or confirmed a class: what the comparison shows that goes with it. */
import type { Citation, EvidenceRecord } from "../../contract/answer.ts";
import { type Fact, factsOf } from "../../contract/citation.ts";
import type { FaultClass } from "../../contract/fault-classes.ts";
import { downstreamOf, isServiceName, type ServiceName } from "../../contract/topology.ts";
import type { Toolbox } from "../toolbox.ts";
import { limited } from "./citations.ts";
import type { Hypothesis } from "./refute.ts";

/** Signals that go with a class: of the service itself, and of those that it feeds. */
interface Going {
  readonly own: readonly string[];
  readonly downstream: readonly string[];
}

const GOES_WITH: Partial<Record<FaultClass, Going>> = {
  process_exited: {
    own: ["container_state", "container_exit_code", "up", "service_stopping", "signal_received"],
    downstream: ["cms_fusion_ingested_total"],
  },
  cpu_starvation: {
    own: [
      "cms_fusion_processing_seconds",
      "cms_fusion_queue_depth",
      "container_cpu_cfs_throttled_seconds_total",
      "container_spec_cpu_quota",
    ],
    downstream: [],
  },
  memory_leak: {
    own: [
      "cms_fusion_memory_bytes",
      "container_memory_usage_bytes",
      "container_spec_memory_limit_bytes",
      "container_oom_events_total",
      "cms_fusion_ingested_total",
      "cms_fusion_queue_depth",
    ],
    downstream: [],
  },
  oom_kill: {
    own: ["container_oom_events_total", "container_exit_code", "container_spec_memory_limit_bytes"],
    downstream: [],
  },
  network_partition: {
    own: ["container_state", "up", "container_network_receive_bytes_total"],
    downstream: ["cms_fusion_ingested_total", "cms_dds_matched_endpoints"],
  },
  qos_mismatch: {
    own: ["cms_dds_incompatible_qos_total", "dds_incompatible_qos", "cms_sensor_published_total"],
    downstream: ["cms_fusion_ingested_total", "cms_fusion_contributors_changed_total"],
  },
  message_flood: {
    own: ["cms_sensor_published_total", "sensor_started", "sensor_heartbeat"],
    downstream: [
      "cms_fusion_ingested_total",
      "cms_fusion_published_total",
      "cms_fusion_queue_depth",
      "container_cpu_usage_seconds_total",
    ],
  },
  none: { own: ["ALERTS", "up", "container_state", "cms_fusion_active_tracks"], downstream: [] },
};

/** The log event in which a service of a class says itself what it does. */
const SAYS: Partial<Record<FaultClass, string>> = { message_flood: "sensor_heartbeat" };

/** Citations of the service's own words, and of what the calls made so far say now of the signals that go with the hypothesis. */
export async function gatherSupport(hypothesis: Hypothesis, tools: Toolbox): Promise<Citation[]> {
  const words = await ownWords(hypothesis, tools);
  return firstOfEach([...words, ...citationsOfRecords(hypothesis, tools.records)]);
}

async function ownWords({ service, faultClass }: Hypothesis, tools: Toolbox): Promise<Citation[]> {
  const event = SAYS[faultClass];
  if (event === undefined || service === null) return [];
  const query = `{service_name="${service}"} | json | event="${event}"`;
  const { id, facts } = await tools.call("logql", { query, limit: 1 });
  return facts
    .filter(({ signal }) => signal === event)
    .map((fact) => citationOf(id, { ...fact, value: limited(fact.value) }, service));
}

function citationsOfRecords(
  { service, faultClass }: Hypothesis,
  records: readonly EvidenceRecord[],
): Citation[] {
  const going = GOES_WITH[faultClass];
  if (going === undefined) return [];
  const fed: readonly ServiceName[] = service === null ? [] : downstreamOf(service);
  const citations: Citation[] = [];
  for (const record of records) {
    for (const fact of factsOf(record)) {
      if (fact.when === "before" || !isServiceNameOrNull(fact.service)) continue;
      const own = service === null || fact.service === service;
      const wanted = own
        ? going.own.includes(fact.signal)
        : fact.service !== null &&
          fed.includes(fact.service) &&
          going.downstream.includes(fact.signal);
      if (wanted) citations.push(citationOf(record.id, fact, fact.service));
    }
  }
  return citations;
}

const isServiceNameOrNull = (name: string | null): name is ServiceName | null =>
  name === null || isServiceName(name);

function citationOf(callId: string, fact: Fact, service: ServiceName | null): Citation {
  return {
    call_id: callId,
    signal: fact.signal,
    service,
    value: fact.value,
    claim: `${fact.signal} of ${service ?? "the system"} during the incident`,
  };
}

/** One citation for each signal and service is enough. */
function firstOfEach(citations: readonly Citation[]): Citation[] {
  const seen = new Set<string>();
  return citations.filter(({ signal, service }) => {
    const key = `${signal} ${service}`;
    if (seen.has(key)) return false;
    seen.add(key);
    return true;
  });
}
