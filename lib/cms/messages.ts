/** The messages of the Combat Management System, by name. */
import type { Message } from "../service/message.ts";

export type SourceTrack = Message<"SourceTrackTopic">;
export type TacticalTrack = Message<"TacticalTrackTopic">;
export type ThreatAssessment = Message<"ThreatAssessmentTopic">;
export type MissionOrder = Message<"MissionOrderTopic">;
export type EngagementStatus = Message<"EngagementStatusTopic">;

export type Vector3 = SourceTrack["position"];
