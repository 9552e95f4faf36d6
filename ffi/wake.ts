/**
 * Wakes the JavaScript thread when a DDS thread has data.
 *
 * A DDS thread only writes a byte to a pipe (native.c); the event loop reads it. Many arrivals in a row
 * are one wake-up, nothing is polled, and no JavaScript runs on a foreign thread.
 */
import { loadLibrary } from "./library.ts";
import { Block, type Pointer } from "./memory.ts";

/** Make a descriptor non-blocking, and unknown to programs that this one starts. Source: fcntl(2). */
const F_SETFL = 4;
const F_SETFD = 2;
const FD_CLOEXEC = 1;
const O_NONBLOCK = process.platform === "darwin" ? 0x0004 : 0o4000;
/** struct wake of native.c: the descriptor stands first. */
const WAKE_BYTES = 8;

export class Wake {
  /** Of C: a DDS thread may write to it whatever becomes of this JavaScript. */
  readonly pointer: Pointer;
  readonly #reading: number;
  readonly #writing: number;
  readonly #reader: ReturnType<typeof openStream>;
  #closed = false;

  constructor(onWake: () => void) {
    const { libc, native } = loadLibrary();
    const fds = new Block(8);
    if (libc.pipe(fds.pointer) !== 0) {
      throw new RangeError("Cannot wait for data: no file descriptor is left");
    }
    this.#reading = fds.view.getInt32(0, true);
    this.#writing = fds.view.getInt32(4, true);
    for (const fd of [this.#reading, this.#writing]) libc.fcntl(fd, F_SETFD, FD_CLOEXEC);
    // A DDS thread must never block: a full pipe is readable already.
    libc.fcntl(this.#writing, F_SETFL, O_NONBLOCK);
    this.pointer = Number(libc.calloc(1, WAKE_BYTES)) as Pointer;
    native.wake_init(this.pointer, this.#writing);
    this.#reader = openStream(this.#reading);
    void this.#loop(onWake);
  }

  /** Wakes the JavaScript thread from itself. */
  signal(): void {
    if (!this.#closed) loadLibrary().native.wake_signal(this.pointer);
  }

  /** Stops; call it only once no DDS thread can write any more. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    // The pending read ends with this wake-up; the loop then sees that it is closed and cleans up.
    const { native } = loadLibrary();
    native.wake_clear(this.pointer);
    native.wake_signal(this.pointer);
  }

  async #loop(onWake: () => void): Promise<void> {
    const { libc, native } = loadLibrary();
    while (!this.#closed) {
      const { done } = await this.#reader.read();
      if (done || this.#closed) break;
      native.wake_clear(this.pointer);
      onWake();
    }
    // Until it is closed C may write to it.
    if (!this.#closed) return;
    await this.#reader.cancel();
    libc.close(this.#reading);
    libc.close(this.#writing);
    libc.free(this.pointer);
  }
}

const openStream = (descriptor: number) => Bun.file(descriptor).stream().getReader();
