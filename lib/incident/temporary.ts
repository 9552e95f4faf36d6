/**
 * Temporary folders of running programs. The next program that starts removes the folders of killed
 * ones.
 */
import { existsSync, mkdirSync, readdirSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Clock, systemClock } from "../base/clock.ts";
import { tryLock } from "../base/file-lock.ts";

const PREFIX = "cms-incident-";
const LOCK = "owner.lock";
/** A folder younger than this may not have its lock yet. */
const YOUNG_MS = 60_000;

export interface TemporaryFolder {
  readonly path: string;
  remove(): void;
}

/**
 * Makes a folder that exists until `remove`, or until the next call of this function after the
 * program has ended.
 */
export function makeTemporaryFolder(root = tmpdir(), clock: Clock = systemClock): TemporaryFolder {
  removeAbandoned(root, clock);
  const path = join(root, `${PREFIX}${crypto.randomUUID().slice(0, 13)}`);
  mkdirSync(path, { mode: 0o700 });
  const lock = tryLock(join(path, LOCK));
  return {
    path,
    remove: () => {
      rmSync(path, { recursive: true, force: true });
      lock?.release();
    },
  };
}

/** Removes the folders whose owner has ended for any reason. */
export function removeAbandoned(root: string, clock: Clock): void {
  for (const name of readdirSync(root)) {
    const path = join(root, name);
    if (!name.startsWith(PREFIX) || isOwned(path, clock)) continue;
    rmSync(path, { recursive: true, force: true });
  }
}

function isOwned(path: string, clock: Clock): boolean {
  try {
    if (!existsSync(join(path, LOCK))) return clock.nowMs() - statSync(path).mtimeMs < YOUNG_MS;
    const lock = tryLock(join(path, LOCK));
    lock?.release();
    return lock === undefined;
  } catch {
    // It belongs to another user, or was removed just now.
    return true;
  }
}
