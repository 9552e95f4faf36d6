/** The folder of an experiment's runs, and its locks. */
import { readdirSync, rmSync } from "node:fs";
import { UsageError } from "../base/errors.ts";
import { type FileLock, tryLock } from "../base/file-lock.ts";
import { checkResultsFolder } from "./artefacts.ts";
import { ABANDONED_MS, settleFolders } from "./replace-folder.ts";

/** The part of an experiment for one machine: every `of`-th incident from `index` (1 to `of`). */
export interface Shard {
  readonly index: number;
  readonly of: number;
}

/** The folder of an experiment's runs, with a subfolder per run. */
export const runsFolder = (results: string): string => `${results}/runs`;

/** The folder of an experiment's recordings. */
export const bundlesFolder = (results: string): string => `${runsFolder(results)}/incidents`;

/**
 * Runs `body` while no other program writes to the same runs. Shards may share a folder, but not
 * with the same shard or with an unsharded run. Throws UsageError otherwise.
 */
export const withRunsLocked = <T>(
  results: string,
  shard: Shard | undefined,
  body: () => Promise<T>,
): Promise<T> => withFolderLocked(runsFolder(results), "--results", shard, body);

/** The same for any folder; `option` is the option that selects another one. */
export async function withFolderLocked<T>(
  folder: string,
  option: string,
  shard: Shard | undefined,
  body: () => Promise<T>,
): Promise<T> {
  checkResultsFolder(folder);
  const locks: FileLock[] = [];
  const take = (path: string, shared: boolean, who: string): void => {
    const lock = tryLock(path, { shared });
    if (lock !== undefined) {
      locks.push(lock);
      return;
    }
    throw new UsageError(
      `Cannot write to ${folder}: ${who} does already; wait for its end, choose another folder with ${option}, or share the work with --shard`,
    );
  };
  try {
    take(`${folder}/.lock`, shard !== undefined, "another program");
    if (shard !== undefined) {
      const part = `${shard.index}/${shard.of}`;
      take(
        `${folder}/.lock-${part.replace("/", "-of-")}`,
        false,
        `another program with shard ${part}`,
      );
    }
    // Without shards, every partial folder was left by a killed program.
    settleFolders(folder, shard === undefined ? 0 : ABANDONED_MS);
    return await body();
  } finally {
    for (const lock of locks) lock.release();
  }
}

/** Removes all runs but keeps the locks. */
export function removeRuns(results: string): void {
  const folder = runsFolder(results);
  checkResultsFolder(folder);
  for (const name of readdirSync(folder)) {
    if (!name.startsWith(".lock")) rmSync(`${folder}/${name}`, { recursive: true, force: true });
  }
}

/** Every `of`-th item from the shard's first; all without a shard. */
export function ownPart<T>(items: readonly T[], shard: Shard | undefined): T[] {
  return items.filter((_, i) => shard === undefined || i % shard.of === shard.index - 1);
}
