/**
 * Wakes the JavaScript thread when a DDS thread has data.
 *
 * A DDS thread only writes to a file descriptor (wake.c); the event loop reads it. Many arrivals in a row
 * are one wake-up, nothing is polled, and no JavaScript runs on a foreign thread.
 */
import { loadLibrary } from "./library.ts";
import { Block } from "./memory.ts";

/** Makes a descriptor non-blocking. Source: fcntl(2). */
const F_SETFL = 4;
const O_NONBLOCK = process.platform === "darwin" ? 0x0004 : 0o4000;
const ONE = new Block(8);
ONE.view.setBigUint64(0, 1n, true);

export class Wake {
  readonly #reading: number;
  readonly #writing: number;
  readonly #reader: ReturnType<typeof openStream>;
  #closed = false;

  constructor(onWake: () => void) {
    const { libc } = loadLibrary();
    const fds = new Block(8);
    if (libc.pipe(fds.pointer) !== 0) {
      throw new RangeError("Cannot wait for data: no file descriptor is left");
    }
    this.#reading = fds.view.getInt32(0, true);
    this.#writing = fds.view.getInt32(4, true);
    // A DDS thread must never block: a full pipe is readable already.
    libc.fcntl(this.#writing, F_SETFL, O_NONBLOCK);
    this.#reader = openStream(this.#reading);
    void this.#loop(onWake);
  }

  /** The descriptor that DDS threads write to: the argument of the C callback. */
  get descriptor(): number {
    return this.#writing;
  }

  /** Wakes the JavaScript thread from itself. */
  signal(): void {
    if (!this.#closed) this.#write();
  }

  /** Stops; call it only once no DDS thread can write any more. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    // The pending read ends with this wake-up; the loop then sees that it is closed and cleans up.
    this.#write();
  }

  #write(): void {
    loadLibrary().libc.write(this.#writing, ONE.pointer, 8);
  }

  async #loop(onWake: () => void): Promise<void> {
    while (!this.#closed) {
      const { done } = await this.#reader.read();
      if (done) break;
      if (!this.#closed) onWake();
    }
    await this.#reader.cancel();
    const { libc } = loadLibrary();
    libc.close(this.#reading);
    libc.close(this.#writing);
  }
}

const openStream = (descriptor: number) => Bun.file(descriptor).stream().getReader();
