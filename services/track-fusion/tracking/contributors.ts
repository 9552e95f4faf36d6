/** Which sensors contribute to a track. */

/**
 * A sensor leaves a track's contributors after this time without a detection. EO-3 misses 30 % of its scans at 2 Hz:
 * 16 misses in a row, on one of three targets, come about once in fifteen months.
 */
export const CONTRIBUTOR_WINDOW_MS = 8000;

/** What changed in a track's contributors since it was last published. */
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
