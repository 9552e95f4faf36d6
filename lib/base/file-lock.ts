/**
 * A lock on a file that ends with the process that holds it, however that ends, and that holds between containers and
 * namespaces that share the file system: SQLite's own, taken from the kernel.
 */
import { Database } from "bun:sqlite";

export interface FileLock {
  /** Idempotent. */
  release(): void;
}

/**
 * Takes the lock at `path`, making the file, for as long as what it returns is kept. Returns undefined when it is taken:
 * a lock that is not shared by any other, a shared one only by one that is not.
 */
export function tryLock(
  path: string,
  { shared = false }: { readonly shared?: boolean } = {},
): FileLock | undefined {
  const database = new Database(path, { create: true, strict: true });
  try {
    database.run("PRAGMA busy_timeout = 0");
    // Nothing is ever written, so that no journal has to stand beside the file.
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
