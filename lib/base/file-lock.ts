/**
 * A lock on a file, shared by containers and namespaces that share the file system. It is SQLite's
 * own lock, which the kernel releases when the holding process ends for any reason.
 */
import { Database } from "bun:sqlite";

export interface FileLock {
  /** Has no effect on a lock that is released already. */
  release(): void;
}

/**
 * Takes the lock at `path`, creates the file if necessary, and holds it until release(). Returns
 * undefined when another process holds it; several processes can hold a `shared` lock at a time.
 */
export function tryLock(
  path: string,
  { shared = false }: { readonly shared?: boolean } = {},
): FileLock | undefined {
  const database = new Database(path, { create: true, strict: true });
  try {
    database.run("PRAGMA busy_timeout = 0");
    // In memory, so that there is no journal file beside this one; nothing is ever written.
    database.run("PRAGMA journal_mode = MEMORY");
    database.run(shared ? "BEGIN" : "BEGIN EXCLUSIVE");
    // A reader holds its shared lock until its transaction ends.
    if (shared) database.query("SELECT count(*) FROM sqlite_master").get();
  } catch (error) {
    database.close();
    if (/locked|busy/i.test((error as Error).message)) return undefined;
    throw error;
  }
  return { release: () => database.close() };
}
