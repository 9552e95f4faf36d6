/**
 * Replaces a folder of files so that, whenever the writer is killed, the old one or the new one can
 * be found whole. There is no way to exchange two folders at once, so the old one is moved away
 * first; `settleFolders` finishes what a killed writer began.
 *
 * `<folder>.<pid>.new.partial` is being written, `<folder>.<pid>.old.partial` was moved away.
 */
import {
  closeSync,
  existsSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { basename, dirname, join } from "node:path";

/** Suffix of folder names that readers ignore. */
export const PARTIAL = ".partial";
const PARTIAL_NAME = /^(?<name>.+)\.\d+\.(?<kind>new|old)\.partial$/;
/** Written last: a folder that contains it is complete. */
const LAST_FILE = "manifest.json";
/** Maximum number of times that two concurrent writers of the same folder move it away. */
const MAX_ROUNDS = 10;
/** No writer takes longer. */
export const ABANDONED_MS = 60_000;

/** Writes `files`, including `manifest.json`, and replaces `folder` with them. */
export function replaceFolder(folder: string, files: Readonly<Record<string, string>>): void {
  mkdirSync(dirname(folder), { recursive: true });
  removeAbandoned(folder);
  const [fresh, old] = ["new", "old"].map((kind) => `${folder}.${process.pid}.${kind}${PARTIAL}`);
  if (fresh === undefined || old === undefined) return;
  rmSync(fresh, { recursive: true, force: true });
  mkdirSync(fresh);
  const { [LAST_FILE]: last = "", ...others } = files;
  // On disk before the folder gets its name: an answer may have cost an hour of a model's time.
  for (const [name, text] of [...Object.entries(others), [LAST_FILE, last] as const]) {
    writeFileSync(join(fresh, name), text, { flush: true });
  }
  for (let round = 1; ; round++) {
    rmSync(old, { recursive: true, force: true });
    if (existsSync(folder)) renameSync(folder, old);
    try {
      renameSync(fresh, folder);
      break;
    } catch (error) {
      const { code = "" } = error as NodeJS.ErrnoException;
      if (!["ENOTEMPTY", "EEXIST"].includes(code) || round === MAX_ROUNDS) throw error;
    }
  }
  rmSync(old, { recursive: true, force: true });
  syncFolder(dirname(folder));
}

/** Removes old partial folders of the same name left by other writers. */
function removeAbandoned(folder: string): void {
  for (const { path, name, ageMs } of partialsIn(dirname(folder))) {
    if (name === basename(folder) && ageMs > ABANDONED_MS) {
      rmSync(path, { recursive: true, force: true });
    }
  }
}

/**
 * Finishes interrupted writes below `root` that are at least `ageMs` old: a complete folder gets
 * its name if that is free; all others are removed.
 */
export function settleFolders(root: string, minAgeMs: number): void {
  if (!existsSync(root)) return;
  for (const entry of readdirSync(root, { recursive: true, withFileTypes: true })) {
    if (!entry.isDirectory() || entry.name.endsWith(PARTIAL)) continue;
    settleIn(join(entry.parentPath, entry.name), minAgeMs);
  }
  settleIn(root, minAgeMs);
}

function settleIn(parent: string, minAgeMs: number): void {
  // The new folder first: it is complete whenever the old one was moved away.
  const found = partialsIn(parent).filter(({ ageMs }) => ageMs >= minAgeMs);
  for (const { path, name } of found.toSorted((a, b) => (a.kind < b.kind ? -1 : 1))) {
    const target = join(parent, name);
    if (existsSync(join(path, LAST_FILE)) && !existsSync(target)) renameSync(path, target);
    else rmSync(path, { recursive: true, force: true });
  }
}

interface Partial {
  readonly path: string;
  readonly name: string;
  readonly kind: string;
  readonly ageMs: number;
}

function partialsIn(parent: string): Partial[] {
  return readdirSync(parent).flatMap((entry) => {
    const { name = "", kind = "" } = PARTIAL_NAME.exec(entry)?.groups ?? {};
    if (name === "") return [];
    const path = join(parent, entry);
    const stat = statSync(path, { throwIfNoEntry: false });
    const nowMs = performance.timeOrigin + performance.now();
    return stat === undefined ? [] : [{ path, name, kind, ageMs: nowMs - stat.mtimeMs }];
  });
}

function syncFolder(path: string): void {
  const folder = openSync(path, "r");
  try {
    fsyncSync(folder);
  } finally {
    closeSync(folder);
  }
}
