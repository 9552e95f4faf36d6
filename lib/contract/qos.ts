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

/**
 * The policies of a profile that can make endpoints incompatible, by their names in the QoS status.
 */
export const MATCHING_POLICIES = ["RELIABILITY", "DURABILITY", "OWNERSHIP"] as const;

const volatile = (reliability: QosProfile["reliability"], depth: number): QosProfile => ({
  reliability,
  history: { kind: "KEEP_LAST", depth },
  durability: "VOLATILE",
});

/** The profiles of a topic's readers and writers, unless an override is set. */
export const TOPIC_QOS: Readonly<Record<TopicName, QosProfile>> = {
  SourceTrackTopic: volatile("BEST_EFFORT", 10),
  TacticalTrackTopic: volatile("RELIABLE", 50),
  ThreatAssessmentTopic: volatile("RELIABLE", 20),
  MissionOrderTopic: {
    reliability: "RELIABLE",
    history: { kind: "KEEP_ALL" },
    durability: "TRANSIENT_LOCAL",
  },
  EngagementStatusTopic: volatile("RELIABLE", 20),
};

/**
 * Profiles with which `CMS_FORCE_QOS` can replace a service's writer profile, and `CMS_READER_QOS`
 * those of its readers.
 *
 * DDS matches requested against offered QoS: a RELIABLE writer still matches a BEST_EFFORT reader,
 * so RELIABLE_KEEP_LAST loses nothing; an EXCLUSIVE writer never matches a SHARED reader.
 */
export const FORCED_QOS = {
  RELIABLE_KEEP_LAST: volatile("RELIABLE", 10),
  BEST_EFFORT_KEEP_LAST: volatile("BEST_EFFORT", 10),
  EXCLUSIVE_OWNERSHIP: { ...volatile("BEST_EFFORT", 10), ownership: "EXCLUSIVE" },
  RELIABLE_TRANSIENT_LOCAL: { ...volatile("RELIABLE", 10), durability: "TRANSIENT_LOCAL" },
} as const satisfies Record<string, QosProfile>;
export type ForcedQosName = keyof typeof FORCED_QOS;
