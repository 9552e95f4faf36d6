/** Takes privileges away from a program before it starts. */
import { existsSync } from "node:fs";
import { run } from "../base/shell.ts";

/** The user "nobody" of every Linux: owns no file. */
export const NOBODY = 65534;

export interface PrivilegeOptions {
  /** The user id to run as; absent: the user id stays as it is. */
  readonly uid?: number;
}

/**
 * The command that removes all capabilities, sets `no_new_privs` (a setuid program then gives none
 * back), and becomes the program that is appended to it.
 */
export function withoutPrivileges({ uid }: PrivilegeOptions = {}): string[] {
  return [
    "setpriv",
    ...(uid === undefined ? [] : [`--reuid=${uid}`, `--regid=${uid}`, "--clear-groups"]),
    "--no-new-privs",
    "--bounding-set=-all",
    "--inh-caps=-all",
  ];
}

/**
 * The first of the existing `paths` that a program started through `prefix` cannot read; undefined
 * when it can read all.
 */
export async function firstUnreadable(
  prefix: readonly string[],
  paths: readonly string[],
): Promise<string | undefined> {
  const script = 'for f; do [ -r "$f" ] || { echo "$f"; exit 1; }; done';
  const existing = paths.filter((path) => existsSync(path));
  const { code, stdout, stderr } = await run([...prefix, "sh", "-c", script, "sh", ...existing]);
  return code === 0 ? undefined : (stdout || stderr).trim();
}
