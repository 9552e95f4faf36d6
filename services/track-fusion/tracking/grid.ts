/** A spatial index: things by the square of the ground that they stand on. Altitude is not indexed. */

/** Of the order of a widest gate, so that a query looks at a few cells. */
const CELL_M = 8000;
/** More cells than this per query, and the index is slower than looking at everything. */
const MAX_CELLS = 400;

export class Grid<T> {
  readonly #cells = new Map<number, Set<T>>();
  readonly #keyOf = new Map<T, number>();

  get size(): number {
    return this.#keyOf.size;
  }

  /** All things, in the order in which they were first put. */
  all(): Iterable<T> {
    return this.#keyOf.keys();
  }

  /** Puts a thing at a place, or moves it there. */
  put(thing: T, x: number, y: number): void {
    const key = keyOf(cell(x), cell(y));
    const before = this.#keyOf.get(thing);
    if (before === key) return;
    if (before !== undefined) this.#leave(thing, before);
    this.#keyOf.set(thing, key);
    const things = this.#cells.get(key);
    if (things === undefined) this.#cells.set(key, new Set([thing]));
    else things.add(thing);
  }

  remove(thing: T): void {
    const key = this.#keyOf.get(thing);
    if (key === undefined) return;
    this.#leave(thing, key);
    this.#keyOf.delete(thing);
  }

  /** Calls `visit` with everything within `radius` of a place, and with some of what is further away. */
  near(x: number, y: number, radius: number, visit: (thing: T) => void): void {
    const [left, right] = [cell(x - radius), cell(x + radius)];
    const [bottom, top] = [cell(y - radius), cell(y + radius)];
    if (!((right - left + 1) * (top - bottom + 1) <= MAX_CELLS)) {
      for (const thing of this.#keyOf.keys()) visit(thing);
      return;
    }
    for (let i = left; i <= right; i++) {
      for (let j = bottom; j <= top; j++) this.#cells.get(keyOf(i, j))?.forEach(visit);
    }
  }

  #leave(thing: T, key: number): void {
    const things = this.#cells.get(key);
    things?.delete(thing);
    if (things?.size === 0) this.#cells.delete(key);
  }
}

/** One number for a cell: exact for places up to 10^10 m from the origin; cells that share a number only cost time. */
const keyOf = (column: number, row: number): number => column * 2 ** 26 + row;

const cell = (metres: number): number => Math.floor(metres / CELL_M);
