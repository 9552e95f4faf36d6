/** Calls callbacks on the JavaScript thread when a reader has data. */
import { loadLibrary } from "./library.ts";
import type { Pointer } from "./memory.ts";
import { Wake } from "./wake.ts";

/** Disposing removes one callback; disposing it again has no effect. */
export type Subscription = Disposable;

/** Calls `callback`. An error is thrown from a microtask, so that the other callbacks run. */
function callSafely(callback: () => void): void {
  try {
    callback();
  } catch (error) {
    queueMicrotask(() => {
      throw error;
    });
  }
}

/** Keeps the process alive until it is closed. */
export class DataListener {
  /** dds_listener_t * of the reader. */
  readonly pointer: Pointer;
  readonly #callbacks = new Set<() => void>();
  readonly #wake = new Wake(() => this.#callbacks.forEach(callSafely));

  constructor() {
    const { dds, native } = loadLibrary();
    this.pointer = Number(dds.dds_create_listener(this.#wake.pointer)) as Pointer;
    dds.dds_lset_data_available(this.pointer, Number(native.wake_on_data()) as Pointer);
  }

  /** Calls `callback` when there is data, and once at the start. */
  add(callback: () => void): Subscription {
    this.#callbacks.add(callback);
    this.#wake.signal();
    return { [Symbol.dispose]: () => void this.#callbacks.delete(callback) };
  }

  get isInUse(): boolean {
    return this.#callbacks.size > 0;
  }

  /** A callback took `samples`. If `mayHaveLeft`, the callbacks are called again. */
  took(samples: number, mayHaveLeft: boolean): void {
    this.#wake.took(samples);
    if (mayHaveLeft && this.isInUse) this.#wake.signal();
  }

  /** Call it only when no DDS thread can call the listener any more. */
  close(): void {
    loadLibrary().dds.dds_delete_listener(this.pointer);
    this.#callbacks.clear();
    this.#wake.close();
  }
}
