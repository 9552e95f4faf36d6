/**
 * Every metric, log event and span of the CMS, declared before use. The emitting API accepts only
 * what stands here, and a test reads each row back from the stores.
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

/** A metric: Prometheus name, unit, labels, and who emits it. */
export interface MetricSpec {
  readonly type: "counter" | "gauge" | "histogram";
  readonly help: string;
  /** UCUM unit: `s`, `By`, `1`, `{track}`. */
  readonly unit: string;
  /**
   * Label names. A list of values closes the set: such series are exported as 0 from the start,
   * because `increase()` does not see the first event of a series that is born with it.
   */
  readonly labels: Readonly<Record<string, readonly string[] | "open">>;
  /** Upper bounds, for histograms. */
  readonly buckets?: readonly number[];
  readonly services: readonly ServiceName[];
}

export const LOG_LEVELS = ["DEBUG", "INFO", "WARN", "ERROR"] as const;
export type LogLevel = (typeof LOG_LEVELS)[number];

/** A log event: level and the names of its fields, the essential ones first. */
export interface LogSpec {
  readonly level: LogLevel;
  readonly fields: readonly string[];
  readonly services: readonly ServiceName[];
  /** Why a healthy system does not show it; absent for events that a healthy system does show. */
  readonly rare?: string;
}

/**
 * A span: attributes and who emits it. `<x>` in the name stands for a value.
 *
 * Service graphs make an edge of a producer's span and a consumer's span that is its child, so
 * every span stands at one end of a DDS hop. It carries OpenTelemetry's `messaging.*` attributes
 * beside its own.
 */
export interface SpanSpec {
  readonly kind: "producer" | "consumer";
  /** The topic that is written or read; absent when it is in the span's name. */
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

/** Seconds; the slow end is wide enough to see a starved process. */
const FAST_BUCKETS = [
  0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10,
  30,
] as const;

export const METRICS = {
  cms_sensor_published_total: {
    type: "counter",
    help: "Source tracks written",
    unit: "{track}",
    labels: { sensor_id: SENSOR_IDS },
    services: SENSORS,
  },
  cms_sensor_publish_seconds: {
    type: "histogram",
    help: "Wall clock per write",
    unit: "s",
    labels: { sensor_id: SENSOR_IDS },
    buckets: FAST_BUCKETS,
    services: SENSORS,
  },
  cms_sensor_undetected_total: {
    type: "counter",
    help: "Targets missed by detection probability",
    unit: "{target}",
    labels: { sensor_id: SENSOR_IDS },
    services: SENSORS,
  },
  cms_fusion_ingested_total: {
    type: "counter",
    help: "Source tracks ingested",
    unit: "{track}",
    labels: { sensor_id: SENSOR_IDS },
    services: FUSION,
  },
  cms_fusion_refused_total: {
    type: "counter",
    help: "Source tracks refused, by the rule that they break",
    unit: "{track}",
    labels: {
      reason: ["unknown_sensor", "not_finite", "not_positive", "in_the_future", "too_old"],
    },
    services: FUSION,
  },
  cms_fusion_published_total: {
    type: "counter",
    help: "Tactical tracks published",
    unit: "{track}",
    labels: {},
    services: FUSION,
  },
  cms_fusion_processing_seconds: {
    type: "histogram",
    help: "Per source track, from being taken off DDS to its tactical track being written",
    unit: "s",
    labels: {},
    buckets: FAST_BUCKETS,
    services: FUSION,
  },
  cms_fusion_queue_depth: {
    type: "gauge",
    help: "Source tracks waiting",
    unit: "{track}",
    labels: {},
    services: FUSION,
  },
  cms_fusion_active_tracks: {
    type: "gauge",
    help: "Tactical tracks maintained",
    unit: "{track}",
    labels: {},
    services: FUSION,
  },
  cms_fusion_memory_bytes: {
    type: "gauge",
    help: "Resident memory of the process",
    unit: "By",
    labels: {},
    services: FUSION,
  },
  cms_fusion_contributors_changed_total: {
    type: "counter",
    help: "Changes of a tactical track's contributing sensors between publishes",
    unit: "{change}",
    labels: { change: ["added", "removed"] },
    services: FUSION,
  },
  cms_threat_evaluated_total: {
    type: "counter",
    help: "Threat assessments made",
    unit: "{assessment}",
    labels: { level: THREAT_LEVELS },
    services: THREAT,
  },
  cms_threat_processing_seconds: {
    type: "histogram",
    help: "Per tactical track, from being taken off DDS to its assessment being written",
    unit: "s",
    labels: {},
    buckets: FAST_BUCKETS,
    services: THREAT,
  },
  cms_threat_level_transitions_total: {
    type: "counter",
    help: "Changes of a track's threat level",
    unit: "{transition}",
    labels: { from_level: ["NONE", ...THREAT_LEVELS], to_level: THREAT_LEVELS },
    services: THREAT,
  },
  cms_orders_issued_total: {
    type: "counter",
    help: "Mission orders issued",
    unit: "{order}",
    labels: { action: ORDER_ACTIONS },
    services: COMMAND,
  },
  cms_command_processing_seconds: {
    type: "histogram",
    help: "Per threat assessment, from being taken off DDS to the decision",
    unit: "s",
    labels: {},
    buckets: FAST_BUCKETS,
    services: COMMAND,
  },
  cms_orders_received_total: {
    type: "counter",
    help: "Mission orders received",
    unit: "{order}",
    labels: { action: ORDER_ACTIONS },
    services: EFFECTOR,
  },
  cms_orders_expired_total: {
    type: "counter",
    help: "Mission orders ignored because they were too old when they arrived",
    unit: "{order}",
    labels: { action: ORDER_ACTIONS },
    services: EFFECTOR,
  },
  cms_engagement_outcomes_total: {
    type: "counter",
    help: "Engagements ended",
    unit: "{engagement}",
    labels: { outcome: ["HIT", "MISS"] },
    services: EFFECTOR,
  },
  cms_engagement_transitions_total: {
    type: "counter",
    help: "Changes of an engagement's status",
    unit: "{transition}",
    labels: { status: ENGAGEMENT_STATES },
    services: EFFECTOR,
  },
  cms_engagement_duration_seconds: {
    type: "histogram",
    help: "From acceptance to outcome",
    unit: "s",
    labels: {},
    buckets: [0.5, 1, 2, 3, 5, 7.5, 10, 15, 20, 30],
    services: EFFECTOR,
  },
  cms_display_received_total: {
    type: "counter",
    help: "Samples received",
    unit: "{sample}",
    labels: { topic: TOPICS },
    services: DISPLAY,
  },
  cms_display_handler_seconds: {
    type: "histogram",
    help: "Wall clock per sample handled",
    unit: "s",
    labels: { topic: TOPICS },
    buckets: FAST_BUCKETS,
    services: DISPLAY,
  },
  cms_display_active_tracks: {
    type: "gauge",
    help: "Tactical tracks in the picture",
    unit: "{track}",
    labels: {},
    services: DISPLAY,
  },
  cms_display_track_age_seconds: {
    type: "histogram",
    help: "Age of a tactical track when the display receives it, since its observation",
    unit: "s",
    labels: {},
    buckets: FAST_BUCKETS,
    services: DISPLAY,
  },
  cms_dds_matched_endpoints: {
    type: "gauge",
    help: "Remote endpoints that match this one",
    unit: "{endpoint}",
    labels: { topic: "open", endpoint: "open" },
    services: SERVICES,
  },
  cms_dds_incompatible_qos_total: {
    type: "counter",
    help: "Remote endpoints refused for incompatible QoS, by the policy that refused",
    unit: "{endpoint}",
    labels: { topic: "open", endpoint: "open", policy: "open" },
    services: SERVICES,
  },
  cms_dds_samples_lost_total: {
    type: "counter",
    help: "Samples that never reached this reader",
    unit: "{sample}",
    labels: { topic: "open" },
    services: READERS,
  },
  cms_dds_samples_rejected_total: {
    type: "counter",
    help: "Samples refused by this reader's resource limits",
    unit: "{sample}",
    labels: { topic: "open" },
    services: READERS,
  },
  cms_dds_participant_recreations_total: {
    type: "counter",
    help: "Times the DDS participant was made again because the network interface went or changed",
    unit: "{recreation}",
    labels: {},
    services: SERVICES,
  },
  cms_log_records_total: {
    type: "counter",
    help: "Log records written, by severity",
    unit: "{record}",
    labels: { level: LOG_LEVELS },
    services: SERVICES,
  },
  cms_telemetry_dropped_total: {
    type: "counter",
    help: "Telemetry items dropped because the ingress did not take them",
    unit: "{item}",
    labels: { signal: ["traces", "logs", "metrics"] },
    services: SERVICES,
  },
} as const satisfies Record<string, MetricSpec>;
export type MetricName = keyof typeof METRICS;

export const ON_SHUTDOWN = "only when the process is told to stop";
const ON_FAULT = "only when something is wrong";

export const LOGS = {
  service_starting: { level: "INFO", fields: ["service", "pid", "dds_domain"], services: SERVICES },
  signal_received: {
    level: "INFO",
    fields: ["signal"],
    services: SERVICES,
    rare: ON_SHUTDOWN,
  },
  service_stopping: {
    level: "INFO",
    fields: ["reason", "uptime_seconds"],
    services: SERVICES,
    rare: ON_SHUTDOWN,
  },
  service_crashed: {
    level: "ERROR",
    // OpenTelemetry's names for what is known of an exception; they are attributes of the log record, too.
    fields: ["exception.type", "exception.message", "exception.stacktrace"],
    services: SERVICES,
    rare: ON_FAULT,
  },
  dds_writer_ready: {
    level: "INFO",
    fields: ["topic", "qos", "env_qos_override"],
    services: WRITERS,
  },
  dds_subscriber_ready: { level: "INFO", fields: ["topic", "qos"], services: READERS },
  dds_incompatible_qos: {
    level: "WARN",
    fields: ["topic", "endpoint", "policy", "total"],
    services: SERVICES,
    rare: ON_FAULT,
  },
  dds_participant_recreated: {
    level: "WARN",
    fields: ["reason", "interface", "address"],
    services: SERVICES,
    rare: ON_FAULT,
  },
  message_rejected: {
    level: "WARN",
    fields: ["topic", "reason", "total"],
    services: READERS,
    rare: ON_FAULT,
  },
  telemetry_export_failing: {
    level: "WARN",
    fields: ["signal", "reason", "dropped_total"],
    services: SERVICES,
    rare: ON_FAULT,
  },
  telemetry_export_resumed: {
    level: "INFO",
    fields: ["signal", "dropped_total"],
    services: SERVICES,
    rare: ON_FAULT,
  },
  sensor_started: {
    level: "INFO",
    fields: ["sensor_id", "sensor_type", "target_rate_hz", "detection_probability"],
    services: SENSORS,
  },
  sensor_heartbeat: {
    level: "INFO",
    fields: ["sensor_id", "publish_rate_hz_observed", "drop_rate_hz_observed", "target_rate_hz"],
    services: SENSORS,
  },
  sensor_loop_overrun: {
    level: "WARN",
    fields: ["sensor_id", "late_ms", "period_ms", "skipped_scans"],
    services: SENSORS,
    rare: ON_FAULT,
  },
  fusion_queue_full_dropping: {
    level: "WARN",
    fields: ["queue_depth", "dropped_total"],
    services: FUSION,
    rare: ON_FAULT,
  },
  tactical_track_contributors_changed: {
    level: "INFO",
    fields: ["track_id", "added", "removed", "contributing_sensors"],
    services: FUSION,
  },
  threat_level_changed: {
    level: "INFO",
    fields: ["track_id", "from_level", "to_level", "rationale"],
    services: THREAT,
  },
  mission_order_issued: {
    level: "INFO",
    fields: ["order_id", "action", "target_track_id", "threat_level"],
    services: COMMAND,
  },
  mission_order_expired: {
    level: "INFO",
    fields: ["order_id", "action", "target_track_id", "age_seconds"],
    services: EFFECTOR,
    rare: "only when an order waits in the history for longer than it holds",
  },
  engagement_status_changed: {
    level: "INFO",
    fields: ["order_id", "status", "target_track_id"],
    services: EFFECTOR,
  },
  engagement_resolved: {
    level: "INFO",
    fields: ["order_id", "outcome", "target_track_id", "duration_seconds"],
    services: EFFECTOR,
  },
  http_starting: { level: "INFO", fields: ["port"], services: DISPLAY },
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
  // A sensor's messages belong to its scan; every other service's have a span of their own.
  "publish <topic>": {
    kind: "producer",
    attributes: [],
    services: WRITERS.filter((name) => !(SENSORS as readonly string[]).includes(name)),
  },
} as const satisfies Record<string, SpanSpec>;
export type SpanName = keyof typeof SPANS;

/** The value of `messaging.system`; the conventions have none for DDS. */
export const MESSAGING_SYSTEM = "dds";

/**
 * Facts about each service's process group that the lab exports under cAdvisor's names (label
 * `name` = service), and our own `container_state`, which cAdvisor has no name for.
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

/** Prefix that keeps the pushed (OTLP) copy of a metric apart from the scraped one. */
export const PUSHED_METRIC_PREFIX = "otlp_";
