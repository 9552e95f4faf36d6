/**
 * The leak for the memory-leak fault: allocates memory, writes to it so that it is resident, and
 * never frees it.
 */
export class Leak {
  readonly #bytes: number;
  readonly #kept: Uint8Array[] = [];

  /** Each call of grow() keeps `bytes`; 0 keeps nothing. */
  constructor(bytes: number) {
    this.#bytes = bytes;
  }

  get keptBytes(): number {
    return this.#kept.length * this.#bytes;
  }

  grow(): void {
    if (this.#bytes > 0) this.#kept.push(new Uint8Array(this.#bytes).fill(1));
  }
}
