/** A plausible message of each topic, for tests that need one or two of its fields. */
import type { TopicName } from "../../contract/topology.ts";
import type { Message } from "../message.ts";
import { START_UNIX_MS } from "./fake-clock.ts";

const trace = { traceparent: "", tracestate: "" };

const SAMPLES: { readonly [T in TopicName]: Message<T> } = {
  SourceTrackTopic: {
    sensor_id: "RADAR-1",
    source_track_id: "RADAR-1:1",
    sensor_type: "RADAR",
    sequence_number: 1,
    position: { x: 1000, y: 2000, z: 5000 },
    velocity: { x: 200, y: 0, z: 0 },
    classification: "UNKNOWN",
    position_sigma_m: 50,
    observed_unix_ms: START_UNIX_MS,
    trace,
  },
  TacticalTrackTopic: {
    track_id: "T-1",
    position: { x: 1000, y: 2000, z: 3000 },
    velocity: { x: 300, y: 0, z: 0 },
    classification: "MISSILE",
    contributing_sensors: ["RADAR-1"],
    updates: 1,
    updated_unix_ms: START_UNIX_MS,
    trace,
  },
  ThreatAssessmentTopic: {
    track_id: "T-1",
    level: "HIGH",
    priority: 2,
    score: 70,
    rationale: "fast",
    assessed_unix_ms: START_UNIX_MS,
    trace,
  },
  MissionOrderTopic: {
    order_id: "ORD-1",
    action: "ENGAGE",
    target_track_id: "T-1",
    threat_level: "HIGH",
    reason: "new threat",
    issued_unix_ms: START_UNIX_MS,
    trace,
  },
  EngagementStatusTopic: {
    order_id: "ORD-1",
    target_track_id: "T-1",
    status: "ACCEPTED",
    detail: "new threat",
    changed_unix_ms: START_UNIX_MS,
    trace,
  },
};

/** Returns the message of `topic` with these fields replaced. */
export function sampleOf<T extends TopicName>(
  topic: T,
  fields: Partial<Message<T>> = {},
): Message<T> {
  return { ...SAMPLES[topic], ...fields };
}
