/**
 * A log file of bounded size: at its limit a new one begins, and the last full one is kept beside
 * it. On a full disk, lines are lost: a log must never block or end the program that writes it.
 */
import { closeSync, fstatSync, openSync, renameSync, writeSync } from "node:fs";

const MAX_BYTES = 8 * 1024 * 1024;

/** The path of the last full file of the log at `path`. */
export const rotatedPath = (path: string): string => `${path}.1`;

export class LogFile {
  readonly #path: string;
  #fd: number;
  readonly #maxBytes: number;
  #bytes: number;
  #lostBytes = 0;

  constructor(path: string, maxBytes = MAX_BYTES) {
    this.#path = path;
    this.#maxBytes = maxBytes;
    this.#fd = openSync(path, "a");
    this.#bytes = fstatSync(this.#fd).size;
  }

  /** Bytes that could not be written. */
  get lostBytes(): number {
    return this.#lostBytes;
  }

  write(chunk: Uint8Array): void {
    try {
      if (this.#bytes > 0 && this.#bytes + chunk.length > this.#maxBytes) this.#rotate();
      const written = writeSync(this.#fd, chunk);
      this.#bytes += written;
      this.#lostBytes += chunk.length - written;
    } catch {
      this.#lostBytes += chunk.length;
    }
  }

  /** Copies a process's output into the file until it ends. */
  async follow(stream: ReadableStream<Uint8Array>): Promise<void> {
    for await (const chunk of stream) this.write(chunk);
  }

  close(): void {
    closeSync(this.#fd);
  }

  #rotate(): void {
    renameSync(this.#path, rotatedPath(this.#path));
    closeSync(this.#fd);
    this.#fd = openSync(this.#path, "a");
    this.#bytes = 0;
  }
}
