/**
 * Mounts inside a mount namespace of one's own. In the host's mount namespace they would change the
 * host.
 */
import { mkdirSync, statSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { mustRun } from "../base/shell.ts";

/** Stops mounts of this namespace from reaching the host, and the host's from reaching it. */
export async function keepMountsPrivate(): Promise<void> {
  await mustRun(["mount", "--make-rprivate", "/"]);
}

/** Puts an empty folder in memory at `folder`. */
export async function mountEmpty(folder: string): Promise<void> {
  mkdirSync(folder, { recursive: true });
  await mustRun(["mount", "-t", "tmpfs", "tmpfs", folder]);
}

export interface BindOptions {
  readonly readOnly?: boolean;
}

/**
 * Shows the file or folder `source` at `target` as well; `target` is created when it does not
 * exist.
 */
export async function bind(
  source: string,
  target: string,
  { readOnly = false }: BindOptions = {},
): Promise<void> {
  if (statSync(source).isDirectory()) {
    mkdirSync(target, { recursive: true });
  } else {
    mkdirSync(dirname(target), { recursive: true });
    // Opens for appending: a file that exists keeps its content.
    writeFileSync(target, "", { flag: "a" });
  }
  await mustRun(["mount", "-o", readOnly ? "bind,ro" : "bind", source, target]);
}

/**
 * Shows `source` at `target` to user `uid`, who may write there: the folder and all in it are given
 * to that user.
 */
export async function bindOwnedBy(uid: number, source: string, target: string): Promise<void> {
  await mustRun(["chown", "-R", `${uid}:${uid}`, source]);
  await bind(source, target);
}
