/**
 * A lock that all programs of this machine share by a name, and that ends with the process that holds it, however that ends.
 * On Linux it is a socket's name in the abstract namespace of the network namespace, so it is shared by exactly those programs that
 * share their ports too, and leaves no file. Elsewhere it is a lock on a file in the folder for temporary files.
 */
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type FileLock, tryLock } from "./file-lock.ts";

/** Takes the lock for as long as what it returns is kept; returns undefined when it is taken. */
export function tryNamedLock(name: string): FileLock | undefined {
  if (process.platform !== "linux") return tryLock(join(tmpdir(), `${name}.lock`));
  try {
    const listener = Bun.listen({
      unix: `\0${name}.lock`,
      socket: { open: (socket) => void socket.end(), data: () => {} },
    });
    // A program that forgets its lock still ends.
    listener.unref();
    return { release: () => listener.stop(true) };
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "EADDRINUSE") return undefined;
    throw error;
  }
}
