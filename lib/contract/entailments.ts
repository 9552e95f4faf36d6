/**
 * What a fault class entails: general knowledge about faults, as data that can be checked against telemetry.
 *
 * A "must" that does not hold refutes the class for that service; one that holds confirms it a little. A
 * "supports" confirms when it holds and says nothing when it does not. A query without an answer (a service that
 * has no such metric) leaves the claim open, unless its absence is the point. Nothing here knows of a scenario.
 *
 * In a query `$service` stands for the service; queries are instant PromQL that give one number.
 */
import { COMPARE } from "../base/compare.ts";
import type { FaultClass } from "./fault-classes.ts";
import { type ServiceName, SERVICES, TOPOLOGY } from "./topology.ts";

export interface Entailment {
  /** What must be true of the service, in words. */
  readonly claim: string;
  /** The metric that shows it, for a citation. */
  readonly signal: string;
  readonly promql: string;
  readonly holds: { readonly op: "==" | ">" | ">=" | "<" | "<="; readonly value: number };
  readonly weight: "must" | "supports";
  /** What it means when the query finds nothing. */
  readonly noData: "open" | "refutes";
  /** Instead of `promql`, to find when it began, where that looks back too far to tell; the same `holds`. */
  readonly begins?: string;
  /** For a claim about the whole system: PromQL that finds who breaks it, one series for each. */
  readonly culprits?: string;
}

type Draft = Omit<Entailment, "weight" | "noData"> & { readonly noData?: "refutes" };

const must = (draft: Draft): Entailment => ({ noData: "open", ...draft, weight: "must" });
const supports = (draft: Draft): Entailment => ({ noData: "open", ...draft, weight: "supports" });

/** Bytes per second: less than 9 MB a minute is what warming up and a collector's rhythm amount to. */
const LEAK_BYTES_PER_SECOND = 150_000;
/** Seconds after its start in which a process's memory grows for other reasons. */
const WARM_UP_SECONDS = 90;
/** Seconds without a pause in its growth that make a leak. */
const STEADY_SECONDS = 120;
/** Seconds: memory that grows for so long before a kill leaked; a sudden demand reaches the limit sooner. */
const SLOW_LEAK_SECONDS = 60;
/** Seconds held back per second: a process that is throttled less often than this does not feel it. */
const THROTTLED_SHARE = 0.05;
/** A publisher that sends this many times its nominal rate floods its readers. */
const FLOOD_RATIO = 5;
/** Waiting items: a queue that drains is emptied many times a second. */
const DEEP_QUEUE = 100;
/** Bytes per second: a service that peers reach receives its scrapes and discovery at least. */
const SILENT_BYTES_PER_SECOND = 200;

const STATE = 'container_state{name="$service",state=';
const UP = 'max(up{job="cms-services",instance=~"$service:.+"})';
const THROTTLED = 'rate(container_cpu_cfs_throttled_seconds_total{name="$service"}[1m])';
const RECEIVED = 'rate(container_network_receive_bytes_total{name="$service"}[30s])';
const olderThan = (seconds: number): string =>
  `(time() - container_start_time_seconds) > ${seconds}`;
const WARMED_UP = olderThan(WARM_UP_SECONDS);
const SLOPE = 'deriv(container_memory_usage_bytes{name="$service"}[1m])';
/**
 * The least of what its memory grew by within two minutes: a collector's rhythm has pauses, a leak has none. Only of a process that
 * had warmed up before them, because all memory grows at first.
 */
const STEADY_SLOPE = `min_over_time((${SLOPE})[${STEADY_SECONDS}s:10s]) and on (name) ${olderThan(WARM_UP_SECONDS + STEADY_SECONDS)}`;
const STEADY_SLOPE_OF_ANY = STEADY_SLOPE.replace('{name="$service"}', "");
/** How long its memory grew, within the last ten minutes and once it was warm; nothing when it did not. */
const GROWING_SECONDS = `10 * count_over_time((${SLOPE} > ${LEAK_BYTES_PER_SECOND} and on (name) ${WARMED_UP})[10m:10s])`;
/** A process that was killed for its memory is judged by how it grew before. */
const MEMORY_SLOPE =
  `${STEADY_SLOPE} and on (name) container_oom_events_total == 0 ` +
  `or max_over_time((${SLOPE})[10m:10s]) and on (name) container_oom_events_total > 0 and on (name) ${GROWING_SECONDS} >= ${SLOW_LEAK_SECONDS}`;
const INCOMPATIBLE =
  'sum(cms_dds_incompatible_qos_total{job="cms-services",instance=~"$service:.+"})';
const MATCHED_LEAST = 'min(cms_dds_matched_endpoints{job="cms-services",instance=~"$service:.+"})';
const PUBLISHED = 'cms_sensor_published_total{job="cms-services"';
/**
 * What each sensor publishes, in multiples of its own nominal rate. Its peers would be no measure: when one of them falls silent, the
 * loudest is at once many times as loud as the rest.
 */
const AGAINST_NOMINAL = SERVICES.flatMap((name) => {
  const { sensorId, nominalRateHz } = TOPOLOGY[name];
  if (nominalRateHz === undefined) return [];
  return [`rate(${PUBLISHED},sensor_id="${sensorId}"}[30s]) / ${nominalRateHz}`];
}).join(" or ");
/** The last that was seen of it, also of a process that has gone since. */
const LAST_QUEUE =
  'max(last_over_time(cms_fusion_queue_depth{job="cms-services",instance=~"$service:.+"}[5m]))';
const QUEUE = 'max(cms_fusion_queue_depth{job="cms-services",instance=~"$service:.+"})';

const running = must({
  claim: "its process runs",
  signal: "container_state",
  promql: `${STATE}"running"}`,
  holds: { op: "==", value: 1 },
});
const answersScrapes = must({
  claim: "it answers scrapes",
  signal: "up",
  promql: UP,
  holds: { op: "==", value: 1 },
});
const isUnreachable = must({
  claim: "its scrapes fail",
  signal: "up",
  promql: UP,
  holds: { op: "==", value: 0 },
});
const isNotThrottled = must({
  claim: "no processor quota holds it back",
  signal: "container_cpu_cfs_throttled_seconds_total",
  promql: THROTTLED,
  holds: { op: "<", value: THROTTLED_SHARE },
});
const noOom = must({
  claim: "the kernel did not kill it for its memory",
  signal: "container_oom_events_total",
  promql: 'container_oom_events_total{name="$service"}',
  holds: { op: "==", value: 0 },
});
const noFlood = must({
  claim: "no sensor publishes many times its nominal rate",
  signal: "cms_sensor_published_total",
  promql: `max(${AGAINST_NOMINAL})`,
  holds: { op: "<", value: FLOOD_RATIO },
  culprits: `(${AGAINST_NOMINAL}) >= ${FLOOD_RATIO}`,
});
const nobodyIsThrottled = must({
  claim: "no service is held back by a quota",
  signal: "container_cpu_cfs_throttled_seconds_total",
  promql: "max(rate(container_cpu_cfs_throttled_seconds_total[1m]))",
  holds: { op: "<", value: THROTTLED_SHARE },
  culprits: `rate(container_cpu_cfs_throttled_seconds_total[1m]) >= ${THROTTLED_SHARE}`,
});
/** What all services went through together is the system's own restart, not this service's. */
const restarts =
  'changes(container_start_time_seconds{name="$service"}[10m]) - scalar(min(changes(container_start_time_seconds[10m])))';
const restartsOfAny = restarts.replace('{name="$service"}', "");

export const ENTAILMENTS: Readonly<Record<FaultClass, readonly Entailment[]>> = {
  process_exited: [
    must({
      claim: "its process has exited",
      signal: "container_state",
      promql: `${STATE}"exited"}`,
      holds: { op: "==", value: 1 },
    }),
    noOom,
    must({
      claim: "it is not started again and again",
      signal: "container_start_time_seconds",
      promql: restarts,
      holds: { op: "<=", value: 1 },
    }),
    supports({
      claim: "its scrapes fail",
      signal: "up",
      promql: UP,
      holds: { op: "==", value: 0 },
    }),
    supports({
      claim: "it ended without an error",
      signal: "container_exit_code",
      promql: 'container_exit_code{name="$service"}',
      holds: { op: "==", value: 0 },
    }),
  ],
  crash_loop: [
    must({
      claim: "it was started several times within ten minutes",
      signal: "container_start_time_seconds",
      promql: restarts,
      holds: { op: ">=", value: 2 },
      noData: "refutes",
    }),
  ],
  oom_kill: [
    must({
      claim: "the kernel killed it for its memory",
      signal: "container_oom_events_total",
      promql: 'container_oom_events_total{name="$service"}',
      holds: { op: ">=", value: 1 },
      noData: "refutes",
    }),
    must({
      claim: "its memory did not grow for long before",
      signal: "container_memory_usage_bytes",
      promql: `${GROWING_SECONDS} or on () vector(0)`,
      holds: { op: "<", value: SLOW_LEAK_SECONDS },
    }),
    supports({
      claim: "a signal 9 ended it",
      signal: "container_exit_code",
      promql: 'container_exit_code{name="$service"}',
      holds: { op: "==", value: 137 },
    }),
  ],
  hang: [
    running,
    isUnreachable,
    must({
      claim: "its peers still reach its interface",
      signal: "container_network_receive_bytes_total",
      promql: RECEIVED,
      holds: { op: ">", value: SILENT_BYTES_PER_SECOND },
    }),
    must({
      claim: "it uses hardly any processor time",
      signal: "container_cpu_usage_seconds_total",
      promql: 'rate(container_cpu_usage_seconds_total{name="$service"}[30s])',
      holds: { op: "<", value: 0.01 },
    }),
    isNotThrottled,
  ],
  cpu_starvation: [
    running,
    must({
      claim: "the scheduler holds it back",
      signal: "container_cpu_cfs_throttled_seconds_total",
      promql: THROTTLED,
      holds: { op: ">=", value: THROTTLED_SHARE },
      noData: "refutes",
    }),
    supports({
      claim: "it has a processor quota",
      signal: "container_spec_cpu_quota",
      promql: 'container_spec_cpu_quota{name="$service"}',
      holds: { op: ">", value: 0 },
    }),
    supports({
      claim: "work waits in its queue",
      signal: "cms_fusion_queue_depth",
      promql: QUEUE,
      holds: { op: ">", value: DEEP_QUEUE },
    }),
    supports({
      claim: "it takes long for each item",
      signal: "cms_fusion_processing_seconds",
      promql:
        'histogram_quantile(0.95, sum by (le) (rate(cms_fusion_processing_seconds_bucket{job="cms-services",instance=~"$service:.+"}[1m])))',
      holds: { op: ">", value: 0.1 },
    }),
  ],
  memory_leak: [
    must({
      claim: "its memory grows without a pause",
      signal: "container_memory_usage_bytes",
      promql: MEMORY_SLOPE,
      begins: SLOPE,
      holds: { op: ">", value: LEAK_BYTES_PER_SECOND },
      noData: "refutes",
    }),
    must({
      claim: "no waiting work explains the growth",
      signal: "cms_fusion_queue_depth",
      promql: LAST_QUEUE,
      holds: { op: "<", value: DEEP_QUEUE },
    }),
    // Who gets many times the usual load needs more memory for it.
    noFlood,
    supports({
      claim: "it has a memory limit to run into",
      signal: "container_spec_memory_limit_bytes",
      promql: 'container_spec_memory_limit_bytes{name="$service"}',
      holds: { op: ">", value: 0 },
    }),
    supports({
      claim: "it has used much memory",
      signal: "container_memory_usage_bytes",
      promql: 'max_over_time(container_memory_usage_bytes{name="$service"}[5m])',
      holds: { op: ">", value: 150_000_000 },
    }),
  ],
  network_partition: [
    running,
    isUnreachable,
    must({
      claim: "nothing arrives at its interface",
      signal: "container_network_receive_bytes_total",
      promql: RECEIVED,
      holds: { op: "<=", value: SILENT_BYTES_PER_SECOND },
    }),
  ],
  packet_loss_or_delay: [
    running,
    must({
      claim: "samples are lost between writers and readers",
      signal: "cms_dds_samples_lost_total",
      promql: 'sum(increase(cms_dds_samples_lost_total{job="cms-services"}[2m]))',
      holds: { op: ">", value: 0 },
      noData: "refutes",
    }),
    // A reader that is starved loses what its peers send, too.
    nobodyIsThrottled,
    noFlood,
  ],
  qos_mismatch: [
    answersScrapes,
    must({
      claim: "its endpoints and their peers refuse each other's QoS",
      signal: "cms_dds_incompatible_qos_total",
      promql: INCOMPATIBLE,
      holds: { op: ">", value: 0 },
      noData: "refutes",
    }),
    must({
      claim: "an endpoint of it matches nobody",
      signal: "cms_dds_matched_endpoints",
      promql: MATCHED_LEAST,
      holds: { op: "==", value: 0 },
    }),
    supports({
      claim: "it still publishes",
      signal: "cms_sensor_published_total",
      promql: `sum(rate(${PUBLISHED},instance=~"$service:.+"}[30s]))`,
      holds: { op: ">", value: 0 },
    }),
  ],
  discovery_failure: [
    answersScrapes,
    must({
      claim: "an endpoint of it matches nobody",
      signal: "cms_dds_matched_endpoints",
      promql: MATCHED_LEAST,
      holds: { op: "==", value: 0 },
      noData: "refutes",
    }),
    must({
      claim: "no QoS was refused",
      signal: "cms_dds_incompatible_qos_total",
      promql: `${INCOMPATIBLE} or vector(0)`,
      holds: { op: "==", value: 0 },
    }),
  ],
  message_flood: [
    answersScrapes,
    must({
      claim: "it publishes many times its nominal rate",
      signal: "cms_sensor_published_total",
      promql: `max((${AGAINST_NOMINAL}) and on (instance) ${PUBLISHED},instance=~"$service:.+"})`,
      holds: { op: ">", value: FLOOD_RATIO },
    }),
    must({
      claim: "what it sends is more than what it takes in",
      signal: "cms_fusion_published_total",
      promql:
        'sum(rate(cms_fusion_published_total{job="cms-services",instance=~"$service:.+"}[30s])) / sum(rate(cms_fusion_ingested_total{job="cms-services",instance=~"$service:.+"}[30s]))',
      holds: { op: ">", value: 2 },
    }),
    supports({
      claim: "it publishes at a high rate",
      signal: "cms_sensor_published_total",
      promql: `sum(rate(${PUBLISHED},instance=~"$service:.+"}[30s]))`,
      holds: { op: ">", value: 100 },
    }),
  ],
  downstream_backpressure: [
    running,
    must({
      claim: "work waits in its queue",
      signal: "cms_fusion_queue_depth",
      promql: QUEUE,
      holds: { op: ">", value: DEEP_QUEUE },
      noData: "refutes",
    }),
    isNotThrottled,
    noFlood,
  ],
  clock_skew: [running, answersScrapes],
  bad_configuration: [running, answersScrapes, isNotThrottled, noFlood],
  data_quality: [running, answersScrapes, isNotThrottled, noFlood],
  none: [
    must({
      claim: "no process has exited",
      signal: "container_state",
      promql: 'sum(container_state{state="exited"})',
      holds: { op: "==", value: 0 },
      culprits: 'container_state{state="exited"} == 1',
    }),
    must({
      claim: "no process is started again and again",
      signal: "container_start_time_seconds",
      promql: `max(${restartsOfAny})`,
      holds: { op: "<", value: 2 },
      culprits: `(${restartsOfAny}) >= 2`,
    }),
    must({
      claim: "every service answers scrapes",
      signal: "up",
      promql: 'min(up{job="cms-services"})',
      holds: { op: "==", value: 1 },
      culprits: 'up{job="cms-services"} == 0',
    }),
    nobodyIsThrottled,
    must({
      claim: "every endpoint matches somebody",
      signal: "cms_dds_matched_endpoints",
      promql: 'min(cms_dds_matched_endpoints{job="cms-services"})',
      holds: { op: ">", value: 0 },
      culprits: 'cms_dds_matched_endpoints{job="cms-services"} == 0',
    }),
    noFlood,
    must({
      claim: "no service's memory grows without a pause",
      signal: "container_memory_usage_bytes",
      promql: `max(${STEADY_SLOPE_OF_ANY})`,
      holds: { op: "<=", value: LEAK_BYTES_PER_SECOND },
      culprits: `(${STEADY_SLOPE_OF_ANY}) > ${LEAK_BYTES_PER_SECOND}`,
    }),
    must({
      claim: "no work piles up",
      signal: "cms_fusion_queue_depth",
      promql: 'max(cms_fusion_queue_depth{job="cms-services"})',
      holds: { op: "<", value: DEEP_QUEUE },
      culprits: `cms_fusion_queue_depth{job="cms-services"} >= ${DEEP_QUEUE}`,
    }),
  ],
};

/** The query of an entailment for one service; null stands for any. */
export function entailmentQuery({ promql }: Entailment, service: ServiceName | null): string {
  return promql.replaceAll("$service", service ?? ".+");
}

/** The query that tells when what an entailment says of a service began. */
export function beginningQuery(entailment: Entailment, service: ServiceName | null): string {
  const { begins, promql } = entailment;
  return entailmentQuery({ ...entailment, promql: begins ?? promql }, service);
}

/** Whether a value satisfies what an entailment says. */
export function entailmentHolds({ holds }: Entailment, value: number): boolean {
  return COMPARE[holds.op](value, holds.value);
}
