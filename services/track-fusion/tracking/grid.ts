/** A spatial index: objects by square of the ground. Altitude is not indexed. */

/** About the size of the widest gate, so that a query visits few cells. */
const CELL_M = 8000;
/** For more cells than this, a query visits all objects, which is faster. */
const MAX_CELLS = 400;

export class Grid<T> {
  readonly #cells = new Map<number, Set<T>>();
  readonly #keyOf = new Map<T, number>();

  get size(): number {
    return this.#keyOf.size;
  }

  /** All objects, in the order in which they were added. */
  all(): Iterable<T> {
    return this.#keyOf.keys();
  }

  /** Adds an object at a position, or moves it there. */
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

  /** Calls `visit` with every object within `radius` of a position, and with some further away. */
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

/** One number for each cell: exact up to 10^10 m from the origin; a collision only costs time. */
const keyOf = (column: number, row: number): number => column * 2 ** 26 + row;

const cell = (metres: number): number => Math.floor(metres / CELL_M);
