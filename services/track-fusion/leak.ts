/** The leak hook: keeps memory for ever, and touches it so that it is really resident. */
export class Leak {
  readonly #bytes: number;
  readonly #kept: Uint8Array[] = [];

  /** `bytes` are kept at each call of grow(); 0 keeps nothing. */
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
