/** A bounded first-in-first-out queue; items beyond the bound are dropped and counted. */
export class Inbox<T> {
  readonly #capacity: number;
  #items: T[] = [];
  #head = 0;
  #droppedTotal = 0;

  constructor(capacity: number) {
    this.#capacity = capacity;
  }

  get depth(): number {
    return this.#items.length - this.#head;
  }

  get droppedTotal(): number {
    return this.#droppedTotal;
  }

  /** Adds an item; returns false when the queue is full and the item was dropped. */
  push(item: T): boolean {
    if (this.depth >= this.#capacity) {
      this.#droppedTotal++;
      return false;
    }
    this.#items.push(item);
    return true;
  }

  /** Removes and returns the oldest item; undefined when there is none. */
  shift(): T | undefined {
    if (this.depth === 0) return undefined;
    const item = this.#items[this.#head++];
    // Copies the array when half of it is used up: constant cost on average.
    if (this.#head > 64 && this.#head * 2 > this.#items.length) {
      this.#items = this.#items.slice(this.#head);
      this.#head = 0;
    }
    return item;
  }
}
