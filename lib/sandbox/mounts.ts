/**
 * Mounts inside a separate mount namespace. In the host's mount namespace they would change the
 * host.
 */
import {
  existsSync,
  mkdirSync,
  readFileSync,
  realpathSync,
  rmdirSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { dirname } from "node:path";
import { EnvironmentError } from "../base/errors.ts";
import { mustRun } from "../base/shell.ts";

/** Makes mounts private to this namespace. */
export async function keepMountsPrivate(): Promise<void> {
  await mustRun(["mount", "--make-rprivate", "/"]);
}

/** Mounts an empty in-memory folder at `folder`. */
export async function mountEmpty(folder: string): Promise<void> {
  mkdirSync(folder, { recursive: true });
  await mustRun(["mount", "-t", "tmpfs", "-o", "mode=755,nosuid,nodev", "tmpfs", folder]);
}

/**
 * Puts an empty folder in memory over `folder`, in which folders of outside, also those that were
 * below it, are shown by new names: for this process' user alone, in the folder `apart`, which is
 * made. `staging` is a folder elsewhere.
 */
export async function mountEmptyBut(
  folder: string,
  shown: Readonly<Record<string, string>>,
  { apart, staging }: { apart: string; staging: string },
): Promise<void> {
  for (const [name, source] of Object.entries(shown)) await bind(source, `${staging}/${name}`);
  await mountEmpty(folder);
  mkdirSync(apart, { mode: 0o700 });
  for (const name of Object.keys(shown)) {
    mkdirSync(`${apart}/${name}`);
    await mustRun(["mount", "--move", `${staging}/${name}`, `${apart}/${name}`]);
    rmdirSync(`${staging}/${name}`);
  }
}

export interface BindOptions {
  readonly readOnly?: boolean;
}

/** Mounts the file or folder `source` at `target` as well; creates a missing `target`. */
export async function bind(
  source: string,
  target: string,
  { readOnly = false }: BindOptions = {},
): Promise<void> {
  if (statSync(source).isDirectory()) {
    mkdirSync(target, { recursive: true });
  } else if (!existsSync(target)) {
    mkdirSync(dirname(target), { recursive: true });
    writeFileSync(target, "");
  }
  await mustRun(["mount", "--bind", source, target]);
  if (!readOnly) return;
  const made = mounts().findLast(({ path }) => path === realpathSync(target));
  if (made === undefined) throw new EnvironmentError(`Cannot find the mount at ${target}`);
  await mustRun(["mount", "-o", readOnlyAgain(made), target]);
}

/** A mount that this process sees. */
export interface Mount {
  readonly path: string;
  readonly options: readonly string[];
}

/** The mounts of this process' mount namespace, the older ones first. */
export function mounts(): Mount[] {
  return readFileSync("/proc/self/mountinfo", "utf8").trim().split("\n").map(mountOf);
}

/** Blanks in paths are written as octal numbers. */
function mountOf(line: string): Mount {
  const [, , , , path = "", options = ""] = line.split(" ");
  const plain = path.replaceAll(/\\([0-7]{3})/g, (_, digits: string) =>
    String.fromCodePoint(Number.parseInt(digits, 8)),
  );
  return { path: plain, options: options.split(",") };
}

/** Options that a user namespace may not take away from a mount that it was given. */
const LOCKED = new Set(["nosuid", "nodev", "noexec", "noatime", "nodiratime", "relatime"]);

/** The options that make a mount read-only and leave it otherwise as it is. */
export function readOnlyAgain({ options }: Mount): string {
  return ["remount", "bind", "ro", ...options.filter((option) => LOCKED.has(option))].join(",");
}

/**
 * Mounts `source` at `target` writable for user `uid`, who becomes the owner of the folder and its
 * content.
 */
export async function bindOwnedBy(uid: number, source: string, target: string): Promise<void> {
  await mustRun(["chown", "-R", `${uid}:${uid}`, source]);
  await bind(source, target);
}
