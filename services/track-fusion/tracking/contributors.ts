/** Tracks which sensors contribute to a track. */

/**
 * Time without a detection after which a sensor no longer contributes to a track. EO-3 misses 30 %
 * of its scans at 2 Hz: 16 misses in a row, on one of three targets, happen about once in fifteen
 * months.
 */
export const CONTRIBUTOR_WINDOW_MS = 8000;

/** Changes of a track's contributors since its last publication. */
export interface ContributorChange {
  readonly added: readonly string[];
  readonly removed: readonly string[];
}

export class Contributors {
  /** Time of the newest observation by sensor. */
  readonly #seenMs = new Map<string, number>();
  #now: readonly string[] = [];

  /** In alphabetical order, as of the last `change()`. */
  get now(): readonly string[] {
    return this.#now;
  }

  see(sensorId: string, timeMs: number): void {
    this.#seenMs.set(sensorId, Math.max(timeMs, this.#seenMs.get(sensorId) ?? timeMs));
  }

  /** Compares with the last call; undefined when nothing changed. */
  change(nowMs: number): ContributorChange | undefined {
    for (const [sensor, seenMs] of this.#seenMs) {
      if (nowMs - seenMs > CONTRIBUTOR_WINDOW_MS) this.#seenMs.delete(sensor);
    }
    const before = this.#now;
    if (before.length === this.#seenMs.size && before.every((id) => this.#seenMs.has(id))) {
      return undefined;
    }
    this.#now = [...this.#seenMs.keys()].toSorted();
    return {
      added: this.#now.filter((id) => !before.includes(id)),
      removed: before.filter((id) => !this.#seenMs.has(id)),
    };
  }
}
