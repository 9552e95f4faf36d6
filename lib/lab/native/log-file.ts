/**
 * A log file of bounded size: at its limit a new file is started, and the previous one is kept.
 * Lines are lost on a full disk, because logging must never block or end the writer.
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

  /** Bytes that were lost. */
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

  /** Copies a process's output to the file until the process ends. */
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
