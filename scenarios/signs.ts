/** Conditions shared by several kinds, as PromQL over a service. */
import {
  SERVICES,
  type ServiceName,
  type TopicName,
  TOPOLOGY,
  upstreamOf,
} from "../lib/contract/topology.ts";
import type { AlertChoice } from "./define.ts";
import type { Sign } from "./kind.ts";

const JOB = 'job="cms-services"';

export const SENSORS = SERVICES.filter((name) => TOPOLOGY[name].sensorId !== undefined);
export const WRITERS = SERVICES.filter((name) => TOPOLOGY[name].publishes.length > 0);
export const READERS = SERVICES.filter((name) => TOPOLOGY[name].subscribes.length > 0);

export const instanceOf = (service: ServiceName): string =>
  `${service}:${TOPOLOGY[service].metricsPort}`;

export const sensorOf = (service: ServiceName): string => TOPOLOGY[service].sensorId ?? "";

/** The topic that a service writes. */
export function topicOf(service: ServiceName): TopicName {
  const [topic] = TOPOLOGY[service].publishes;
  if (topic === undefined) throw new TypeError(`${service} publishes nothing`);
  return topic;
}

/** Seconds needed to measure the rate of a topic: orders and engagements are rare. */
const windowOf = (topic: TopicName): string =>
  topic === "MissionOrderTopic" || topic === "EngagementStatusTopic" ? "45s" : "15s";

const COUNTERS: Readonly<Record<TopicName, string>> = {
  SourceTrackTopic: "cms_sensor_published_total",
  TacticalTrackTopic: "cms_fusion_published_total",
  ThreatAssessmentTopic: "cms_threat_evaluated_total",
  MissionOrderTopic: "cms_orders_issued_total",
  EngagementStatusTopic: "cms_engagement_transitions_total",
};

/** Messages per second sent, according to the service. */
export function sentQuery(service: ServiceName): string {
  const topic = topicOf(service);
  return `sum(rate(${COUNTERS[topic]}{${JOB},instance="${instanceOf(service)}"}[${windowOf(topic)}]))`;
}

/** Messages per second of a service that arrive at a reader. */
export function arrivedQuery(service: ServiceName): string {
  const topic = topicOf(service);
  const sensor = TOPOLOGY[service].sensorId;
  return sensor === undefined
    ? `sum(rate(cms_display_received_total{${JOB},topic="${topic}"}[${windowOf(topic)}]))`
    : `sum(rate(cms_fusion_ingested_total{${JOB},sensor_id="${sensor}"}[${windowOf(topic)}]))`;
}

export const sends = (service: ServiceName): Sign => ({
  what: "sent/s",
  query: sentQuery(service),
  op: ">",
  value: 0,
});

/** Nothing that a service sends arrives. */
export const nothingArrives = (service: ServiceName): Sign => ({
  what: "arrived/s",
  query: arrivedQuery(service),
  op: "==",
  value: 0,
  shows: {
    kind: "metric",
    as: "rate",
    ...(TOPOLOGY[service].sensorId === undefined
      ? { signal: "cms_display_received_total", labels: { topic: topicOf(service) } }
      : { signal: "cms_fusion_ingested_total", labels: { sensor_id: sensorOf(service) } }),
  },
});

/** What a service sends arrives. */
export const arrives = (service: ServiceName): Sign => ({
  what: "arrived/s",
  query: arrivedQuery(service),
  op: ">",
  value: 0,
});

/** Messages per second that a reader accepts. */
export function takenInQuery(service: ServiceName): string {
  const counter: Partial<Record<ServiceName, string>> = {
    "track-fusion": "cms_fusion_ingested_total",
    "threat-evaluator": "cms_threat_evaluated_total",
    "command-center": "cms_command_processing_seconds_count",
    "effector-manager": "cms_orders_received_total",
    "tactical-display": "cms_display_received_total",
  };
  const window = service === "effector-manager" ? "45s" : "15s";
  return `sum(rate(${counter[service]}{${JOB},instance="${instanceOf(service)}"}[${window}]))`;
}

const TAKEN_IN: Partial<Record<ServiceName, string>> = {
  "track-fusion": "cms_fusion_ingested_total",
  "threat-evaluator": "cms_threat_evaluated_total",
  "effector-manager": "cms_orders_received_total",
  "tactical-display": "cms_display_received_total",
};

/** A reader that accepts nothing. */
export const takesNothingIn = (service: ServiceName): Sign => {
  const signal = TAKEN_IN[service];
  return {
    what: "taken in/s",
    query: takenInQuery(service),
    op: "==",
    value: 0,
    ...(signal === undefined
      ? {}
      : { shows: { kind: "metric" as const, as: "rate" as const, signal, service } }),
  };
};

export const scraped = (service: ServiceName, up: 0 | 1): Sign => ({
  what: "up",
  query: `up{${JOB},instance="${instanceOf(service)}"}`,
  op: "==",
  value: up,
  ...(up === 1 ? {} : { shows: { kind: "metric" as const, signal: "up", service } }),
});

/** It sends its own telemetry. */
export const pushes = (service: ServiceName): Sign => ({
  what: "pushes",
  query: `count(otlp_cms_dds_matched_endpoints{service_name="${service}"})`,
  op: ">",
  value: 0,
});

export const state = (service: ServiceName, name: "running" | "exited"): Sign => ({
  what: name,
  query: `container_state{name="${service}",state="${name}"}`,
  op: "==",
  value: 1,
  ...(name === "running"
    ? {}
    : {
        shows: {
          kind: "runtime" as const,
          signal: "container_state",
          labels: { state: "exited" },
          service,
        },
      }),
});

/** CPU cores used by a service. */
export const cores = (service: ServiceName, op: "<" | ">", value: number, shown = true): Sign => ({
  what: "cores",
  query: `rate(container_cpu_usage_seconds_total{name="${service}"}[15s])`,
  op,
  value,
  ...(shown
    ? {
        shows: {
          kind: "runtime" as const,
          signal: "container_cpu_usage_seconds_total",
          as: "rate" as const,
          service,
        },
      }
    : {}),
});

/** Bytes per second received by a service's interface. */
export const receives = (service: ServiceName, op: "<" | ">", value: number): Sign => ({
  what: "bytes in/s",
  query: `rate(container_network_receive_bytes_total{name="${service}"}[15s])`,
  op,
  value,
  ...(op === ">"
    ? {}
    : {
        shows: {
          kind: "runtime" as const,
          signal: "container_network_receive_bytes_total",
          as: "rate" as const,
          service,
        },
      }),
});

/** Time between the start of the system's first process and the service's. */
export const startedLater = (service: ServiceName, op: "<" | ">"): Sign => ({
  what: "started s later",
  query: `container_start_time_seconds{name="${service}"} - scalar(min(container_start_time_seconds))`,
  op,
  value: 25,
});

/** Refused matches of a service's endpoints for a policy. */
export const refused = (
  service: ServiceName,
  endpoint: "reader" | "writer",
  policy: string,
): Sign => ({
  what: `refused by ${policy}`,
  query: `sum(cms_dds_incompatible_qos_total{${JOB},instance="${instanceOf(service)}",endpoint="${endpoint}",policy=~"${policy}"})`,
  op: ">",
  value: 0,
  shows: { kind: "dds", signal: "cms_dds_incompatible_qos_total" },
});

/** No policy refuses an endpoint of a service. */
export const nothingRefused = (service: ServiceName): Sign => ({
  what: "refused",
  query: `sum(cms_dds_incompatible_qos_total{${JOB},instance="${instanceOf(service)}"}) or vector(0)`,
  op: "==",
  value: 0,
});

/** The maximum number of matches of a service's endpoints. */
export const matches = (service: ServiceName, op: "==" | ">", value: number): Sign => ({
  what: "matched",
  query: `max(cms_dds_matched_endpoints{${JOB},instance="${instanceOf(service)}"})`,
  op,
  value,
  ...(op === ">" ? {} : { shows: { kind: "dds" as const, signal: "cms_dds_matched_endpoints" } }),
});

/** Writers of a service's topic that its reader still sees. */
export function writersSeen(service: ServiceName, missing: 0 | 1): Sign {
  const topic = topicOf(service);
  const reader = topic === "SourceTrackTopic" ? "track-fusion" : "tactical-display";
  const all = upstreamOf(reader).filter((name) => topicOf(name) === topic).length;
  return {
    what: "writers seen",
    query: `max(cms_dds_matched_endpoints{${JOB},instance="${instanceOf(reader)}",endpoint="reader",topic="${topic}"})`,
    op: "==",
    value: all - missing,
    ...(missing === 0
      ? {}
      : {
          shows: {
            kind: "dds" as const,
            signal: "cms_dds_matched_endpoints",
            labels: { topic },
            service: reader,
          },
        }),
  };
}

/** Source tracks per second that fusion refuses for a reason. */
export const refusedTracks = (reason: string): Sign => ({
  what: `${reason}/s`,
  query: `sum(rate(cms_fusion_refused_total{${JOB},reason="${reason}"}[15s]))`,
  op: ">",
  value: 0,
  shows: {
    kind: "metric",
    signal: "cms_fusion_refused_total",
    labels: { reason },
    as: "rate",
    service: "track-fusion",
  },
});

/** Fusion accepts fewer messages of a sensor than it has sent. */
export const partlyTakenIn = (service: ServiceName): Sign => ({
  what: "share taken in",
  query: `${arrivedQuery(service)} / ${sentQuery(service)}`,
  op: "<",
  value: 0.8,
});

/** Fusion refuses no source track. */
export const noTrackRefused: Sign = {
  what: "refused tracks/s",
  query: `sum(rate(cms_fusion_refused_total{${JOB}}[15s])) or vector(0)`,
  op: "==",
  value: 0,
};

/** 95th percentile of the age of tracks at the display, seconds. */
export const trackAge = (op: ">" | "<", value: number): Sign => ({
  what: "track age s",
  query: `histogram_quantile(0.95, sum by (le) (rate(cms_display_track_age_seconds_bucket{${JOB}}[30s])))`,
  op,
  value,
  ...(op === "<"
    ? {}
    : {
        shows: {
          kind: "metric" as const,
          signal: "cms_display_track_age_seconds",
          as: "duration" as const,
        },
      }),
});

/** Alerts for a service that answers no scrapes. */
export const downAlerts = (service: ServiceName): AlertChoice[] => {
  const labels = { instance: instanceOf(service) };
  const down = { uid: "service-down", labels };
  return SENSORS.includes(service) ? [{ uid: "sensor-down", labels }, down] : [down];
};

/** The alerts of these rules, whatever their labels. */
export const alertsNamed = (...uids: readonly string[]): AlertChoice[] =>
  uids.map((uid) => ({ uid, labels: {} }));

/** Alerts for a service whose messages do not arrive. */
export function muteAlerts(service: ServiceName): AlertChoice[] {
  if (SENSORS.includes(service)) return alertsNamed("fusion-contributors-dropped");
  const byService: Partial<Record<ServiceName, AlertChoice[]>> = {
    "track-fusion": alertsNamed("evaluation-stalled", "picture-stale"),
    "threat-evaluator": alertsNamed("command-stalled"),
    "command-center": alertsNamed("engagement-stalled"),
  };
  return byService[service] ?? [];
}

/** Alerts for a service that receives nothing. */
export function deafAlerts(service: ServiceName): AlertChoice[] {
  const byService: Partial<Record<ServiceName, AlertChoice[]>> = {
    "track-fusion": alertsNamed("fusion-stalled", "tactical-tracks-collapsed", "picture-stale"),
    "threat-evaluator": alertsNamed("evaluation-stalled"),
    "command-center": alertsNamed("command-stalled"),
    "effector-manager": alertsNamed("engagement-stalled"),
    "tactical-display": alertsNamed("picture-stale"),
  };
  return byService[service] ?? [];
}

/** Alerts for a picture with doubled, lost or late tracks. */
export const pictureAlerts = (): AlertChoice[] =>
  alertsNamed(
    "picture-crowded",
    "fusion-contributors-dropped",
    "tactical-tracks-collapsed",
    "picture-late",
  );
