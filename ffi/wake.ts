/**
 * Wakes the JavaScript thread when a DDS thread has data.
 *
 * A DDS thread only calls a threadsafe function of N-API (native.c), which puts a task into the
 * queue of the event loop. Many arrivals in a row are one wake-up, nothing polls, and no JavaScript
 * runs on a foreign thread. When a Worker ends, a cleanup hook of N-API disarms the function before
 * it is freed. A threadsafe JSCallback has no such hook: a later call crashes.
 */
import { DdsLibraryError } from "./error.ts";
import { loadLibrary } from "./library.ts";
import type { Pointer } from "./memory.ts";

/** Size of struct wake of native.c. */
const WAKE_BYTES = 16;
/**
 * Maximum number of looks in a row while data keeps arriving; then other events have their turn.
 */
const MAX_LOOKS = 4;
/**
 * Samples taken in one look that make a stream of what arrives: then the next look is
 * `STREAM_PAUSE_MS` later and finds more, because a wake-up for each packet takes the cores from
 * the threads that receive and send.
 */
const STREAM = 32;
const STREAM_PAUSE_MS = 1;

export class Wake {
  /** Memory of C, because a DDS thread may still signal when the JavaScript object is gone. */
  readonly pointer: Pointer;
  readonly #onWake: () => void;
  #taken = 0;
  #closed = false;

  /** Keeps the process alive until it is closed. */
  constructor(onWake: () => void) {
    const { libc, native } = loadLibrary();
    this.#onWake = onWake;
    this.pointer = Number(libc.calloc(1, WAKE_BYTES)) as Pointer;
    if (!native.wake_open(null, () => this.#look(), this.pointer)) {
      throw new DdsLibraryError("Cannot wait for data: Bun's N-API refuses a threadsafe function");
    }
  }

  #look(): void {
    const { native } = loadLibrary();
    for (let looks = 0; looks < MAX_LOOKS; looks++) {
      if (this.#closed) return;
      native.wake_look(this.pointer);
      this.#taken = 0;
      this.#onWake();
      if (this.#taken >= STREAM) {
        setTimeout(() => this.#lookAgain(), STREAM_PAUSE_MS);
        return;
      }
      if (!this.#hasMissed()) return;
    }
    // Not another call of the function: the event loop would repeat such calls as long as there are
    // any, and handle nothing else.
    setImmediate(() => this.#look());
  }

  #lookAgain(): void {
    if (this.#hasMissed()) this.#look();
  }

  /** Ends a look; returns whether data has arrived meanwhile. */
  #hasMissed(): boolean {
    return !this.#closed && loadLibrary().native.wake_rest(this.pointer);
  }

  /** Reports the number of samples that a look has found. */
  took(samples: number): void {
    this.#taken += samples;
  }

  /** Wakes the JavaScript thread from this thread. */
  signal(): void {
    if (!this.#closed) loadLibrary().native.wake_signal(this.pointer);
  }

  /** Stops; call it only when no DDS thread can signal any more. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    const { libc, native } = loadLibrary();
    native.wake_close(null, this.pointer);
    libc.free(this.pointer);
  }
}
