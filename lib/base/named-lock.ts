/**
 * A lock by name, shared by all programs of this machine and released when the holding process ends
 * for any reason. On Linux it is a socket name in the abstract namespace of the network namespace:
 * exactly the programs that share ports share the lock, and no file is left. On other systems it is
 * a lock on a file in the folder for temporary files.
 */
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type FileLock, tryLock } from "./file-lock.ts";

/** Takes the lock and holds it until release(); returns undefined when another process holds it. */
export function tryNamedLock(name: string): FileLock | undefined {
  if (process.platform !== "linux") return tryLock(join(tmpdir(), `${name}.lock`));
  try {
    const listener = Bun.listen({
      unix: `\0${name}.lock`,
      socket: { open: (socket) => void socket.end(), data: () => {} },
    });
    // The socket does not keep the program alive.
    listener.unref();
    return { release: () => listener.stop(true) };
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "EADDRINUSE") return undefined;
    throw error;
  }
}
