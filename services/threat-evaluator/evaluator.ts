/** Turns every tactical track into a threat assessment. */
import type { TacticalTrack } from "../../lib/cms/messages.ts";
import type { Arrival } from "../../lib/service/arrival.ts";
import type { Service } from "../../lib/service/run-service.ts";
import { tracedPublish } from "../../lib/service/publish.ts";
import { isFinite3 } from "../../lib/cms/vector.ts";
import { rate, type ThreatLevel } from "./rules.ts";

/** Time without an update after which a track is forgotten. */
const FORGET_MS = 60_000;

export function startEvaluator(service: Service): void {
  const { telemetry, bus, clock, settings } = service;
  const { meters, logger } = telemetry;
  const publisher = bus.publisher("ThreatAssessmentTopic");
  const publish = tracedPublish(telemetry, "ThreatAssessmentTopic", publisher);
  const seconds = meters.histogram("cms_threat_processing_seconds");
  const counterOf = (level: ThreatLevel) => meters.counter("cms_threat_evaluated_total", { level });
  const evaluated = {
    LOW: counterOf("LOW"),
    MEDIUM: counterOf("MEDIUM"),
    HIGH: counterOf("HIGH"),
    CRITICAL: counterOf("CRITICAL"),
  };
  const known = new Map<string, { level: ThreatLevel; seenMs: number }>();

  const evaluate = (
    message: TacticalTrack,
    { parent, takenMs }: Arrival<"TacticalTrackTopic">,
  ): void => {
    const { track_id: trackId } = message;
    if (!isFinite3(message.position) || !isFinite3(message.velocity)) {
      bus.reject("TacticalTrackTopic", "a position or velocity that is not finite");
      return;
    }
    const prior = known.get(trackId)?.level;
    const { level, priority, score, rationale } = rate(message, prior, settings.threatOffset);
    known.set(trackId, { level, seenMs: clock.nowMs() });
    const attributes = {
      "threat.level": level,
      "threat.priority": priority,
      tactical_track_id: trackId,
    };
    telemetry.inSpan("threat.evaluate", "threat.evaluate", parent, attributes, (span) => {
      if (level !== prior) {
        const transition = { from_level: prior ?? "NONE", to_level: level };
        meters.counter("cms_threat_level_transitions_total", transition).add(1);
        logger.log("threat_level_changed", { track_id: trackId, ...transition, rationale });
      }
      const assessed_unix_ms = clock.nowMs();
      const assessment = { track_id: trackId, level, priority, score, rationale, assessed_unix_ms };
      publish(assessment, span, parent);
    });
    evaluated[level].add(1);
    seconds.record((clock.monotonicMs() - takenMs) / 1000);
  };

  const forget = (trackId: string): void => {
    if (known.delete(trackId)) publisher.retire({ track_id: trackId });
  };
  bus.visit("TacticalTrackTopic", {
    message: evaluate,
    disposed: ({ track_id: trackId }) => forget(trackId),
  });
  service.every(FORGET_MS, () => {
    for (const [trackId, { seenMs }] of known) {
      if (clock.nowMs() - seenMs >= FORGET_MS) forget(trackId);
    }
  });
}
