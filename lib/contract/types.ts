/**
 * The five DDS types, as plain data. `ffi/` derives TypeScript types, C layouts, op codes, key
 * descriptors and the IDL text `ffi/cms.idl` from them.
 */
import type { TopicName } from "./topology.ts";

const Vector3 = {
  kind: "struct",
  name: "cms::Vector3",
  // Metres (positions) or metres per second (velocities): x east, y north, z up.
  fields: { x: "f64", y: "f64", z: "f64" },
} as const;

const TraceContext = {
  kind: "struct",
  name: "cms::TraceContext",
  // W3C Trace Context; a traceparent of version 00 has exactly 55 characters.
  fields: { traceparent: { kind: "string", bound: 55 }, tracestate: "string" },
} as const;

const enumOf = <const N extends string, const V extends readonly string[]>(name: N, values: V) =>
  ({ kind: "enum", name, values }) as const;

const SensorType = enumOf("cms::SensorType", ["RADAR", "ESM", "EO"]);
const Classification = enumOf("cms::Classification", ["UNKNOWN", "AIRCRAFT", "MISSILE"]);
const ThreatLevel = enumOf("cms::ThreatLevel", ["LOW", "MEDIUM", "HIGH", "CRITICAL"]);
const OrderAction = enumOf("cms::OrderAction", ["MONITOR", "ENGAGE"]);
const EngagementState = enumOf("cms::EngagementState", ["ACCEPTED", "IN_FLIGHT", "HIT", "MISS"]);

/** One detection of one target by one sensor. */
export const SourceTrack = {
  kind: "struct",
  name: "cms::SourceTrack",
  key: ["sensor_id", "source_track_id"],
  fields: {
    sensor_id: { kind: "string", bound: 32 },
    source_track_id: { kind: "string", bound: 32 },
    sensor_type: SensorType,
    sequence_number: "u32",
    position: Vector3,
    velocity: Vector3,
    classification: Classification,
    // Standard deviation of the position, metres.
    position_sigma_m: "f64",
    // Time of the scan, milliseconds since the Unix epoch.
    observed_unix_ms: "f64",
    trace: TraceContext,
  },
} as const;

/** One real target as computed by fusion. */
export const TacticalTrack = {
  kind: "struct",
  name: "cms::TacticalTrack",
  key: ["track_id"],
  fields: {
    track_id: { kind: "string", bound: 32 },
    position: Vector3,
    velocity: Vector3,
    classification: Classification,
    contributing_sensors: { kind: "sequence", of: "string" },
    updates: "u32",
    updated_unix_ms: "f64",
    trace: TraceContext,
  },
} as const;

/** The threat that a tactical track poses, and the reason. */
export const ThreatAssessment = {
  kind: "struct",
  name: "cms::ThreatAssessment",
  key: ["track_id"],
  fields: {
    track_id: { kind: "string", bound: 32 },
    level: ThreatLevel,
    // 1 is the most urgent.
    priority: "u32",
    // 0 to 100.
    score: "f64",
    rationale: "string",
    assessed_unix_ms: "f64",
    trace: TraceContext,
  },
} as const;

/** An order against a tactical track. */
export const MissionOrder = {
  kind: "struct",
  name: "cms::MissionOrder",
  key: ["order_id"],
  fields: {
    order_id: { kind: "string", bound: 64 },
    action: OrderAction,
    target_track_id: { kind: "string", bound: 32 },
    threat_level: ThreatLevel,
    reason: "string",
    issued_unix_ms: "f64",
    trace: TraceContext,
  },
} as const;

/** The state of the engagement that an order started. */
export const EngagementStatus = {
  kind: "struct",
  name: "cms::EngagementStatus",
  key: ["order_id"],
  fields: {
    order_id: { kind: "string", bound: 64 },
    target_track_id: { kind: "string", bound: 32 },
    status: EngagementState,
    detail: "string",
    changed_unix_ms: "f64",
    trace: TraceContext,
  },
} as const;

/** The type of each topic. */
export const TOPIC_TYPES = {
  SourceTrackTopic: SourceTrack,
  TacticalTrackTopic: TacticalTrack,
  ThreatAssessmentTopic: ThreatAssessment,
  MissionOrderTopic: MissionOrder,
  EngagementStatusTopic: EngagementStatus,
} as const satisfies Record<TopicName, unknown>;

export const THREAT_LEVELS = ThreatLevel.values;
export const ORDER_ACTIONS = OrderAction.values;
export const ENGAGEMENT_STATES = EngagementState.values;
