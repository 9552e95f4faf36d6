/** Decides which order a threat gets, and when. Pure. */
import type { MissionOrder, ThreatAssessment } from "../../lib/cms/messages.ts";

/** Time after which an order is repeated although the threat's level has not changed. */
export const REPEAT_MS = 20_000;
/** Time without an assessment after which a track is forgotten. */
const FORGET_MS = 60_000;

export interface Decision {
  readonly action: MissionOrder["action"];
  readonly reason: string;
}

interface Standing {
  level: ThreatAssessment["level"];
  orderedMs: number;
  seenMs: number;
}

/** Decides on orders, one track at a time. */
export class Policy {
  readonly #standing = new Map<string, Standing>();
  readonly #engages: boolean;

  /** Without `engages`, every threat is monitored only. */
  constructor(engages = true) {
    this.#engages = engages;
  }

  /** Returns the order for this assessment, if one is due. */
  decide(
    assessment: Pick<ThreatAssessment, "track_id" | "level" | "rationale">,
    nowMs: number,
  ): Decision | undefined {
    const { track_id: trackId, level, rationale } = assessment;
    const before = this.#standing.get(trackId);
    const isDangerous = level === "HIGH" || level === "CRITICAL";
    const action = isDangerous && this.#engages ? "ENGAGE" : "MONITOR";
    if (before !== undefined && before.level === level && nowMs - before.orderedMs < REPEAT_MS) {
      before.seenMs = nowMs;
      return undefined;
    }
    this.#standing.set(trackId, { level, orderedMs: nowMs, seenMs: nowMs });
    const why = before === undefined ? "new threat" : before.level === level ? "still" : "now";
    return { action, reason: `${why} ${level}: ${rationale}` };
  }

  /** Forgets an ended track. */
  drop(trackId: string): void {
    this.#standing.delete(trackId);
  }

  /** Forgets tracks that are no longer assessed. */
  forget(nowMs: number): void {
    for (const [trackId, { seenMs }] of this.#standing) {
      if (nowMs - seenMs > FORGET_MS) this.#standing.delete(trackId);
    }
  }
}
