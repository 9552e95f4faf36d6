/** The TypeScript types of the messages. */
import type { Infer } from "../../ffi/mod.ts";
import type { TOPIC_TYPES } from "../contract/types.ts";

export type Message<T extends keyof typeof TOPIC_TYPES> = Infer<(typeof TOPIC_TYPES)[T]>;

export type SourceTrack = Message<"SourceTrackTopic">;
export type TacticalTrack = Message<"TacticalTrackTopic">;
export type ThreatAssessment = Message<"ThreatAssessmentTopic">;
export type MissionOrder = Message<"MissionOrderTopic">;
export type EngagementStatus = Message<"EngagementStatusTopic">;

export type Vector3 = SourceTrack["position"];
export type TraceContext = SourceTrack["trace"];
