/**
 * Declares all metrics, log events and spans of the CMS. The emitting API accepts nothing else, and
 * a test reads each row back from the stores.
 */
import {
  SENSOR_IDS,
  SERVICES,
  type ServiceName,
  type TopicName,
  TOPICS,
  TOPOLOGY,
} from "./topology.ts";
import { ENGAGEMENT_STATES, ORDER_ACTIONS, THREAT_LEVELS } from "./types.ts";

/** A metric: Prometheus name, unit, labels, and the services that emit it. */
export interface MetricSpec {
  readonly type: "counter" | "gauge" | "histogram";
  readonly help: string;
  /** UCUM unit: `s`, `By`, `1`, `{track}`. */
  readonly unit: string;
  /**
   * Label names. A list of values closes the set: its series are exported as 0 from the start,
   * because `increase()` does not count the first event of a series that begins with it.
   */
  readonly labels: Readonly<Record<string, readonly string[] | "open">>;
  /** Upper bounds, for histograms. */
  readonly buckets?: readonly number[];
  readonly services: readonly ServiceName[];
}

export const LOG_LEVELS = ["DEBUG", "INFO", "WARN", "ERROR"] as const;
export type LogLevel = (typeof LOG_LEVELS)[number];

/** A log event: its level, and the names of its fields, the most important first. */
export interface LogSpec {
  readonly level: LogLevel;
  readonly fields: readonly string[];
  readonly services: readonly ServiceName[];
  /** Why a healthy system does not log it; absent for events that a healthy system logs. */
  readonly rare?: string;
}

/**
 * A span: its attributes and the services that emit it. `<x>` in the name is a placeholder.
 *
 * Service graphs derive an edge from a producer span and its consumer child span, so every span is
 * at one end of a DDS hop. It has OpenTelemetry's `messaging.*` attributes in addition to its own.
 */
export interface SpanSpec {
  readonly kind: "producer" | "consumer";
  /** The topic that is written or read; absent when the span's name contains it. */
  readonly topic?: TopicName;
  readonly attributes: readonly string[];
  readonly services: readonly ServiceName[];
}

const SENSORS = ["radar-sensor", "esm-sensor", "eo-sensor"] as const;
const FUSION = ["track-fusion"] as const;
const THREAT = ["threat-evaluator"] as const;
const COMMAND = ["command-center"] as const;
const EFFECTOR = ["effector-manager"] as const;
const DISPLAY = ["tactical-display"] as const;
const WRITERS = SERVICES.filter((name) => TOPOLOGY[name].publishes.length > 0);
const READERS = SERVICES.filter((name) => TOPOLOGY[name].subscribes.length > 0);

/** Seconds; the largest buckets show a starved process. */
const FAST_BUCKETS = [
  0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10,
  30,
] as const;

/** Adds to each declaration the services that emit it. */
function emittedBy<const S extends readonly ServiceName[], const T extends object>(
  services: S,
  declared: T,
) {
  const rows = Object.entries(declared).map(([name, spec]) => [name, { ...spec, services }]);
  return Object.fromEntries(rows) as {
    readonly [N in keyof T]: T[N] & { readonly services: S };
  };
}

const NO_LABELS = {} as const;
type Labels = MetricSpec["labels"];

const counter = <const L extends Labels = typeof NO_LABELS>(
  help: string,
  unit: string,
  labels?: L,
) => ({ type: "counter", help, unit, labels: labels ?? (NO_LABELS as L) }) as const;

const gauge = (help: string, unit: string, labels: Labels = NO_LABELS) =>
  ({ type: "gauge", help, unit, labels }) as const;

/** A histogram of seconds. */
const seconds = (
  help: string,
  labels: Labels = NO_LABELS,
  buckets: readonly number[] = FAST_BUCKETS,
) => ({ type: "histogram", help, unit: "s", labels, buckets }) as const;

const BY_SENSOR = { sensor_id: SENSOR_IDS } as const;
const BY_ACTION = { action: ORDER_ACTIONS } as const;

export const METRICS = {
  ...emittedBy(SENSORS, {
    cms_sensor_published_total: counter("Source tracks written", "{track}", BY_SENSOR),
    cms_sensor_publish_seconds: seconds("Wall clock per write", BY_SENSOR),
    cms_sensor_undetected_total: counter(
      "Targets missed by detection probability",
      "{target}",
      BY_SENSOR,
    ),
  }),
  ...emittedBy(FUSION, {
    cms_fusion_ingested_total: counter("Source tracks ingested", "{track}", BY_SENSOR),
    cms_fusion_refused_total: counter(
      "Source tracks refused, by the rule that they break",
      "{track}",
      { reason: ["unknown_sensor", "not_finite", "not_positive", "in_the_future", "too_old"] },
    ),
    cms_fusion_published_total: counter("Tactical tracks published", "{track}"),
    cms_fusion_processing_seconds: seconds(
      "Per source track, from being taken off DDS to its tactical track being written",
    ),
    cms_fusion_queue_depth: gauge("Source tracks waiting", "{track}"),
    cms_fusion_active_tracks: gauge("Tactical tracks maintained", "{track}"),
    cms_fusion_memory_bytes: gauge("Resident memory of the process", "By"),
    cms_fusion_contributors_changed_total: counter(
      "Changes of a tactical track's contributing sensors between publishes",
      "{change}",
      { change: ["added", "removed"] },
    ),
  }),
  ...emittedBy(THREAT, {
    cms_threat_evaluated_total: counter("Threat assessments made", "{assessment}", {
      level: THREAT_LEVELS,
    }),
    cms_threat_processing_seconds: seconds(
      "Per tactical track, from being taken off DDS to its assessment being written",
    ),
    cms_threat_level_transitions_total: counter(
      "Changes of a track's threat level",
      "{transition}",
      { from_level: ["NONE", ...THREAT_LEVELS], to_level: THREAT_LEVELS },
    ),
  }),
  ...emittedBy(COMMAND, {
    cms_orders_issued_total: counter("Mission orders issued", "{order}", BY_ACTION),
    cms_command_processing_seconds: seconds(
      "Per threat assessment, from being taken off DDS to the decision",
    ),
  }),
  ...emittedBy(EFFECTOR, {
    cms_orders_received_total: counter("Mission orders received", "{order}", BY_ACTION),
    cms_orders_expired_total: counter(
      "Mission orders ignored because they were too old when they arrived",
      "{order}",
      BY_ACTION,
    ),
    cms_engagement_outcomes_total: counter("Engagements ended", "{engagement}", {
      outcome: ["HIT", "MISS"],
    }),
    cms_engagement_transitions_total: counter("Changes of an engagement's status", "{transition}", {
      status: ENGAGEMENT_STATES,
    }),
    cms_engagement_duration_seconds: seconds(
      "From acceptance to outcome",
      NO_LABELS,
      [0.5, 1, 2, 3, 5, 7.5, 10, 15, 20, 30],
    ),
  }),
  ...emittedBy(DISPLAY, {
    cms_display_received_total: counter("Samples received", "{sample}", { topic: TOPICS }),
    cms_display_handler_seconds: seconds("Wall clock per sample handled", { topic: TOPICS }),
    cms_display_active_tracks: gauge("Tactical tracks in the picture", "{track}"),
    cms_display_track_age_seconds: seconds(
      "Age of a tactical track when the display receives it, since its observation",
    ),
  }),
  ...emittedBy(READERS, {
    cms_dds_samples_lost_total: counter("Samples that never reached this reader", "{sample}", {
      topic: "open",
    }),
    cms_dds_samples_rejected_total: counter(
      "Samples refused by this reader's resource limits",
      "{sample}",
      { topic: "open" },
    ),
  }),
  ...emittedBy(SERVICES, {
    cms_dds_matched_endpoints: gauge("Remote endpoints that match this one", "{endpoint}", {
      topic: "open",
      endpoint: "open",
    }),
    cms_dds_incompatible_qos_total: counter(
      "Remote endpoints refused for incompatible QoS, by the policy that refused",
      "{endpoint}",
      { topic: "open", endpoint: "open", policy: "open" },
    ),
    cms_dds_participant_recreations_total: counter(
      "Times the DDS participant was made again because the network interface went or changed",
      "{recreation}",
    ),
    cms_log_records_total: counter("Log records written, by severity", "{record}", {
      level: LOG_LEVELS,
    }),
    cms_telemetry_dropped_total: counter(
      "Telemetry items dropped because the ingress did not take them",
      "{item}",
      { signal: ["traces", "logs", "metrics"] },
    ),
  }),
} as const satisfies Record<string, MetricSpec>;
export type MetricName = keyof typeof METRICS;

export const ON_SHUTDOWN = "only when the process is told to stop";
const ON_FAULT = "only when something is wrong";

const info = <const F extends readonly string[]>(...fields: F) =>
  ({ level: "INFO", fields }) as const;
const warn = <const F extends readonly string[]>(...fields: F) =>
  ({ level: "WARN", fields }) as const;
const error = <const F extends readonly string[]>(...fields: F) =>
  ({ level: "ERROR", fields }) as const;

/** Marks an event that a healthy system does not log, with the reason. */
const rarely = <T extends object>(rare: string, spec: T) => ({ ...spec, rare });

export const LOGS = {
  ...emittedBy(SERVICES, {
    service_starting: info("service", "pid", "dds_domain"),
    signal_received: rarely(ON_SHUTDOWN, info("signal")),
    service_stopping: rarely(ON_SHUTDOWN, info("reason", "uptime_seconds")),
    // OpenTelemetry's names for an exception's facts; they are attributes of the log record, too.
    service_crashed: rarely(
      ON_FAULT,
      error("exception.type", "exception.message", "exception.stacktrace"),
    ),
    loop_debug: rarely("only for debugging", { level: "DEBUG", fields: ["tick"] } as const),
    dds_incompatible_qos: rarely(ON_FAULT, warn("topic", "endpoint", "policy", "total")),
    dds_participant_recreated: rarely(ON_FAULT, warn("reason", "interface", "address")),
    telemetry_export_failing: rarely(ON_FAULT, warn("signal", "reason", "dropped_total")),
    telemetry_export_resumed: rarely(ON_FAULT, info("signal", "dropped_total")),
  }),
  ...emittedBy(WRITERS, { dds_writer_ready: info("topic", "qos", "env_qos_override") }),
  ...emittedBy(READERS, {
    dds_subscriber_ready: info("topic", "qos"),
    message_rejected: rarely(ON_FAULT, warn("topic", "reason", "total")),
  }),
  ...emittedBy(SENSORS, {
    sensor_started: info("sensor_id", "sensor_type", "target_rate_hz", "detection_probability"),
    sensor_heartbeat: info(
      "sensor_id",
      "publish_rate_hz_observed",
      "drop_rate_hz_observed",
      "target_rate_hz",
    ),
    sensor_loop_overrun: rarely(
      ON_FAULT,
      warn("sensor_id", "late_ms", "period_ms", "skipped_scans"),
    ),
  }),
  ...emittedBy(FUSION, {
    fusion_queue_full_dropping: rarely(ON_FAULT, warn("queue_depth", "dropped_total")),
    tactical_track_contributors_changed: info(
      "track_id",
      "added",
      "removed",
      "contributing_sensors",
    ),
  }),
  ...emittedBy(THREAT, {
    threat_level_changed: info("track_id", "from_level", "to_level", "rationale"),
  }),
  ...emittedBy(COMMAND, {
    mission_order_issued: info("order_id", "action", "target_track_id", "threat_level"),
  }),
  ...emittedBy(EFFECTOR, {
    mission_order_expired: rarely(
      "only when an order waits in the history for longer than it holds",
      info("order_id", "action", "target_track_id", "age_seconds"),
    ),
    engagement_status_changed: info("order_id", "status", "target_track_id"),
    engagement_resolved: info("order_id", "outcome", "target_track_id", "duration_seconds"),
  }),
  ...emittedBy(DISPLAY, { http_starting: info("port") }),
} as const satisfies Record<string, LogSpec>;
export type LogEvent = keyof typeof LOGS;

export const SPANS = {
  "sensor.scan.<sensor_id>": {
    kind: "producer",
    topic: "SourceTrackTopic",
    attributes: ["sensor.id", "sensor.type", "scan.target_count"],
    services: SENSORS,
  },
  "fusion.ingest": {
    kind: "consumer",
    topic: "SourceTrackTopic",
    attributes: ["tactical_track_id", "sensor.id"],
    services: FUSION,
  },
  "threat.evaluate": {
    kind: "consumer",
    topic: "TacticalTrackTopic",
    attributes: ["threat.level", "threat.priority", "tactical_track_id"],
    services: THREAT,
  },
  "command.issue_order": {
    kind: "consumer",
    topic: "ThreatAssessmentTopic",
    attributes: ["order.id", "order.action", "tactical_track_id"],
    services: COMMAND,
  },
  "effector.engage": {
    kind: "consumer",
    topic: "MissionOrderTopic",
    attributes: ["order.id", "order.action", "engagement.status"],
    services: EFFECTOR,
  },
  "display.ingest.<topic>": { kind: "consumer", attributes: ["dds.topic"], services: DISPLAY },
  // A sensor publishes inside its scan's span; the other services have a span for publishing.
  "publish <topic>": {
    kind: "producer",
    attributes: [],
    services: WRITERS.filter((name) => !(SENSORS as readonly string[]).includes(name)),
  },
} as const satisfies Record<string, SpanSpec>;
export type SpanName = keyof typeof SPANS;

/** Value of `messaging.system`; OpenTelemetry's conventions define none for DDS. */
export const MESSAGING_SYSTEM = "dds";

/**
 * Metrics of each service's process group that the lab exports under cAdvisor's names (label `name`
 * = service), and `container_state`, which cAdvisor does not have.
 */
export const CONTAINER_METRICS = {
  container_last_seen: "Unix time of the last look at a running process group, in seconds",
  container_start_time_seconds: "Unix time at which the process group started",
  container_state: "1 for the state (label `state`: running, exited) that holds, 0 for the other",
  container_exit_code: "Exit code of the last process; 128 + signal number when a signal ended it",
  container_cpu_usage_seconds_total: "Processor time used",
  container_cpu_cfs_periods_total: "Scheduler periods in which a quota was in force",
  container_cpu_cfs_throttled_periods_total: "Scheduler periods in which the quota ran out",
  container_cpu_cfs_throttled_seconds_total: "Time for which the quota held the group back",
  container_spec_cpu_quota: "Processor quota in microseconds per period; 0 when there is none",
  container_spec_cpu_period: "Length of a scheduler period in microseconds",
  container_spec_cpu_shares: "Weight of the group where processor time is short",
  container_memory_usage_bytes: "Memory in use",
  container_memory_rss: "Resident anonymous memory",
  container_spec_memory_limit_bytes: "Memory limit",
  container_oom_events_total: "Out-of-memory kills in the group",
  container_network_receive_bytes_total: "Bytes received on the service's interface",
  container_network_transmit_bytes_total: "Bytes sent on the service's interface",
} as const;
export type ContainerMetricName = keyof typeof CONTAINER_METRICS;

/** Prefix of the pushed (OTLP) copies of metrics, which separates them from the scraped ones. */
export const PUSHED_METRIC_PREFIX = "otlp_";
