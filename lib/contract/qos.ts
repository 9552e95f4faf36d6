/** Every QoS profile of the CMS, in one place. */
import type { TopicName } from "./topology.ts";

/** The policies that the CMS sets; all others keep the DDS defaults. */
export interface QosProfile {
  readonly reliability: "BEST_EFFORT" | "RELIABLE";
  readonly history:
    { readonly kind: "KEEP_LAST"; readonly depth: number } | { readonly kind: "KEEP_ALL" };
  readonly durability: "VOLATILE" | "TRANSIENT_LOCAL";
  readonly ownership?: "SHARED" | "EXCLUSIVE";
}

/** The policies of a profile for which DDS refuses an endpoint, by their names in its status. */
export const MATCHING_POLICIES = ["RELIABILITY", "DURABILITY", "OWNERSHIP"] as const;

/** What readers and writers of a topic use unless an override is set. */
export const TOPIC_QOS: Readonly<Record<TopicName, QosProfile>> = {
  SourceTrackTopic: {
    reliability: "BEST_EFFORT",
    history: { kind: "KEEP_LAST", depth: 10 },
    durability: "VOLATILE",
  },
  TacticalTrackTopic: {
    reliability: "RELIABLE",
    history: { kind: "KEEP_LAST", depth: 50 },
    durability: "VOLATILE",
  },
  ThreatAssessmentTopic: {
    reliability: "RELIABLE",
    history: { kind: "KEEP_LAST", depth: 20 },
    durability: "VOLATILE",
  },
  MissionOrderTopic: {
    reliability: "RELIABLE",
    history: { kind: "KEEP_ALL" },
    durability: "TRANSIENT_LOCAL",
  },
  EngagementStatusTopic: {
    reliability: "RELIABLE",
    history: { kind: "KEEP_LAST", depth: 20 },
    durability: "VOLATILE",
  },
};

/**
 * Profiles that `CMS_FORCE_QOS` may put in place of a service's own writer profile.
 *
 * Request against offer decides: a RELIABLE writer still matches a BEST_EFFORT reader, so
 * RELIABLE_KEEP_LAST loses nothing; an EXCLUSIVE writer never matches a SHARED reader.
 */
export const FORCED_QOS = {
  RELIABLE_KEEP_LAST: {
    reliability: "RELIABLE",
    history: { kind: "KEEP_LAST", depth: 10 },
    durability: "VOLATILE",
  },
  BEST_EFFORT_KEEP_LAST: {
    reliability: "BEST_EFFORT",
    history: { kind: "KEEP_LAST", depth: 10 },
    durability: "VOLATILE",
  },
  EXCLUSIVE_OWNERSHIP: {
    reliability: "BEST_EFFORT",
    history: { kind: "KEEP_LAST", depth: 10 },
    durability: "VOLATILE",
    ownership: "EXCLUSIVE",
  },
} as const satisfies Record<string, QosProfile>;
export type ForcedQosName = keyof typeof FORCED_QOS;
