/** A log file of bounded size: at its limit it starts anew, and the last full one is kept beside it. */
import { closeSync, fstatSync, openSync, renameSync, writeSync } from "node:fs";

const MAX_BYTES = 8 * 1024 * 1024;

export class LogFile {
  readonly #path: string;
  #fd: number;
  #bytes: number;

  constructor(path: string) {
    this.#path = path;
    this.#fd = openSync(path, "a");
    this.#bytes = fstatSync(this.#fd).size;
  }

  write(chunk: Uint8Array): void {
    if (this.#bytes + chunk.length > MAX_BYTES) {
      closeSync(this.#fd);
      renameSync(this.#path, `${this.#path}.1`);
      this.#fd = openSync(this.#path, "a");
      this.#bytes = 0;
    }
    this.#bytes += writeSync(this.#fd, chunk);
  }

  /** Copies a process's output into the file until it ends. */
  async follow(stream: ReadableStream<Uint8Array>): Promise<void> {
    for await (const chunk of stream) this.write(chunk);
  }
}
