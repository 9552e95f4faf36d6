/** Takes privileges away from a program before it starts. */
import { existsSync, readFileSync } from "node:fs";
import { run } from "../base/shell.ts";

/** The user "nobody" of every Linux, who owns no file. */
export const NOBODY = 65534;

/**
 * Whether user `uid` exists in the user namespace of this process. Where one id is mapped, as
 * without root, a program cannot become another user.
 */
export function isMapped(uid: number): boolean {
  const lines = readFileSync("/proc/self/uid_map", "utf8").trim().split("\n");
  return lines.some((line) => {
    const [first = 0, , count = 0] = line.trim().split(/\s+/).map(Number);
    return uid >= first && uid < first + count;
  });
}

export interface PrivilegeOptions {
  /** User id of the program; undefined: unchanged. */
  readonly uid?: number;
}

/**
 * The command that removes all capabilities, sets `no_new_privs` (so that setuid programs cannot
 * restore them), and executes the program appended to it.
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
 * The first of the existing `paths` that a program started with `prefix` cannot read; undefined if
 * it can read all.
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
