/** The tactical picture: for each track its threat, order and engagement, and their ages. Pure. */
import type {
  EngagementStatus,
  MissionOrder,
  TacticalTrack,
  ThreatAssessment,
} from "../../lib/cms/messages.ts";

/** Time without an update after which a track is removed from the picture. */
export const TRACK_TTL_MS = 10_000;
/**
 * Time for which orders and engagements are kept after their last change, in case their track
 * returns.
 */
const DETAIL_TTL_MS = 120_000;

interface Entry {
  readonly track: TacticalTrack;
  readonly receivedMs: number;
}

/** The picture as `/api/picture` returns it. Ages are in seconds. */
export interface Picture {
  /** ISO 8601. */
  readonly as_of: string;
  readonly track_count: number;
  readonly tracks: readonly PictureTrack[];
}

export interface PictureTrack {
  readonly track_id: string;
  readonly position: TacticalTrack["position"];
  readonly velocity: TacticalTrack["velocity"];
  readonly classification: TacticalTrack["classification"];
  readonly contributing_sensors: readonly string[];
  readonly updates: number;
  readonly age_seconds: number;
  readonly threat: {
    readonly level: ThreatAssessment["level"];
    readonly priority: number;
    readonly score: number;
    readonly rationale: string;
    readonly age_seconds: number;
  } | null;
  readonly order: {
    readonly order_id: string;
    readonly action: MissionOrder["action"];
    readonly threat_level: MissionOrder["threat_level"];
    readonly age_seconds: number;
  } | null;
  readonly engagement: {
    readonly order_id: string;
    readonly status: EngagementStatus["status"];
    readonly detail: string;
    readonly age_seconds: number;
  } | null;
}

export class PictureStore {
  readonly #tracks = new Map<string, Entry>();
  readonly #threats = new Map<string, ThreatAssessment>();
  readonly #orders = new Map<string, MissionOrder>();
  readonly #engagements = new Map<string, EngagementStatus>();

  track(track: TacticalTrack, nowMs: number): void {
    this.#tracks.set(track.track_id, { track, receivedMs: nowMs });
  }

  threat(threat: ThreatAssessment): void {
    this.#threats.set(threat.track_id, threat);
  }

  /** Keeps the newest order for each track, in any order of arrival. */
  order(order: MissionOrder): void {
    const known = this.#orders.get(order.target_track_id);
    if (known === undefined || order.issued_unix_ms >= known.issued_unix_ms) {
      this.#orders.set(order.target_track_id, order);
    }
  }

  engagement(status: EngagementStatus): void {
    const known = this.#engagements.get(status.target_track_id);
    if (known === undefined || status.changed_unix_ms >= known.changed_unix_ms) {
      this.#engagements.set(status.target_track_id, status);
    }
  }

  /** Number of tracks in the picture. */
  get size(): number {
    return this.#tracks.size;
  }

  /** Removes a track that fusion has ended, with its order and engagement. */
  endTrack(trackId: string): void {
    this.#tracks.delete(trackId);
    this.#threats.delete(trackId);
    this.#orders.delete(trackId);
    this.#engagements.delete(trackId);
  }

  endThreat(trackId: string): void {
    this.#threats.delete(trackId);
  }

  /**
   * The writer disposes old orders: an order that it has disposed remains valid while its track is
   * in the picture.
   */
  endOrder(orderId: string): void {
    this.#forgetOf(this.#orders, orderId);
  }

  /** The same as for orders. */
  endEngagement(orderId: string): void {
    this.#forgetOf(this.#engagements, orderId);
  }

  /** Removes expired entries. */
  expire(nowMs: number): void {
    for (const [id, { receivedMs }] of this.#tracks) {
      if (nowMs - receivedMs > TRACK_TTL_MS) this.#tracks.delete(id);
    }
    const forget = <T>(map: Map<string, T>, changedMs: (value: T) => number): void => {
      for (const [id, value] of map) {
        if (!this.#tracks.has(id) && nowMs - changedMs(value) > DETAIL_TTL_MS) map.delete(id);
      }
    };
    forget(this.#threats, (threat) => threat.assessed_unix_ms);
    forget(this.#orders, (order) => order.issued_unix_ms);
    forget(this.#engagements, (status) => status.changed_unix_ms);
  }

  #forgetOf(details: Map<string, { readonly order_id: string }>, orderId: string): void {
    for (const [trackId, { order_id: id }] of details) {
      if (id === orderId && !this.#tracks.has(trackId)) details.delete(trackId);
    }
  }

  /** The picture at `nowMs`, the most urgent track first. */
  picture(nowMs: number): Picture {
    const age = (unixMs: number): number => Math.max(0, Math.round(nowMs - unixMs) / 1000);
    const tracks = [...this.#tracks.values()].map(({ track }): PictureTrack => {
      const threat = this.#threats.get(track.track_id);
      const order = this.#orders.get(track.track_id);
      const engagement = this.#engagements.get(track.track_id);
      return {
        track_id: track.track_id,
        position: track.position,
        velocity: track.velocity,
        classification: track.classification,
        contributing_sensors: track.contributing_sensors,
        updates: track.updates,
        // Age since the observation, so that a late track is shown as old.
        age_seconds: age(track.updated_unix_ms),
        threat:
          threat === undefined
            ? null
            : {
                level: threat.level,
                priority: threat.priority,
                score: threat.score,
                rationale: threat.rationale,
                age_seconds: age(threat.assessed_unix_ms),
              },
        order:
          order === undefined
            ? null
            : {
                order_id: order.order_id,
                action: order.action,
                threat_level: order.threat_level,
                age_seconds: age(order.issued_unix_ms),
              },
        engagement:
          engagement === undefined
            ? null
            : {
                order_id: engagement.order_id,
                status: engagement.status,
                detail: engagement.detail,
                age_seconds: age(engagement.changed_unix_ms),
              },
      };
    });
    const urgency = ({ threat }: PictureTrack): number => threat?.priority ?? Infinity;
    return {
      as_of: new Date(nowMs).toISOString(),
      track_count: tracks.length,
      tracks: tracks.toSorted(
        (a, b) => urgency(a) - urgency(b) || (a.track_id < b.track_id ? -1 : 1),
      ),
    };
  }
}
