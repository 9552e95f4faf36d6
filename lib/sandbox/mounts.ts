/**
 * Mounts inside a separate mount namespace. In the host's mount namespace they would change the
 * host.
 */
import { mkdirSync, statSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { mustRun } from "../base/shell.ts";

/** Makes mounts private to this namespace. */
export async function keepMountsPrivate(): Promise<void> {
  await mustRun(["mount", "--make-rprivate", "/"]);
}

/** Mounts an empty in-memory folder at `folder`. */
export async function mountEmpty(folder: string): Promise<void> {
  mkdirSync(folder, { recursive: true });
  await mustRun(["mount", "-t", "tmpfs", "tmpfs", folder]);
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
  } else {
    mkdirSync(dirname(target), { recursive: true });
    // Opens for appending, which keeps the content of an existing file.
    writeFileSync(target, "", { flag: "a" });
  }
  await mustRun(["mount", "-o", readOnly ? "bind,ro" : "bind", source, target]);
}

/**
 * Mounts `source` at `target` writable for user `uid`, who becomes the owner of the folder and its
 * content.
 */
export async function bindOwnedBy(uid: number, source: string, target: string): Promise<void> {
  await mustRun(["chown", "-R", `${uid}:${uid}`, source]);
  await bind(source, target);
}
