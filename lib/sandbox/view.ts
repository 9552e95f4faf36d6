/**
 * What is visible of the machine's files in a mount namespace. For programs that run under the id
 * of the person who started them: without other means they could read and change all that this
 * person can.
 */
import { existsSync, realpathSync } from "node:fs";
import { EnvironmentError } from "../base/errors.ts";
import { mustRun, run } from "../base/shell.ts";
import { type Mount, mounts, readOnlyAgain } from "./mounts.ts";

export interface Hiding {
  /** Folders that are shown empty, in memory. Those that do not exist are left out. */
  readonly empty: readonly string[];
  /** The same, for folders that programs expect to write to. */
  readonly scratch: readonly string[];
  /** Folders below those, that stay visible as they are. */
  readonly shown: readonly string[];
}

const EMPTY = "mode=755,nosuid,nodev,noexec,size=1m";
const SCRATCH = "mode=1777,nosuid,nodev,noexec,size=64m";

const SCRIPT = `stash=$1 n=0 m=0
shift
while [ $# -gt 0 ]; do
  case $1 in
    empty) mount -t tmpfs -o ${EMPTY} tmpfs "$2" ;;
    scratch) mount -t tmpfs -o ${SCRATCH} tmpfs "$2" ;;
    keep) n=$((n+1)); mkdir -p "$stash/$n"; mount --bind "$2" "$stash/$n" ;;
    show) m=$((m+1)); mkdir -p "$2"; mount --move "$stash/$m" "$2" ;;
  esac
  shift 2
done`;

/**
 * Hides folders in this process' mount namespace. `stash` is an empty folder in memory that nobody
 * else writes to.
 */
export async function hide({ empty, scratch, shown }: Hiding, stash: string): Promise<void> {
  const hidden = outermost([...empty, ...scratch]);
  const writable = new Set(outermost(scratch));
  const kept = outermost(shown).filter((path) => hidden.some((one) => isBelow(path, one)));
  const steps = [
    ...kept.map((path) => ["keep", path]),
    ...hidden.map((path) => [writable.has(path) ? "scratch" : "empty", path]),
    ...kept.map((path) => ["show", path]),
  ];
  await mustRun(["sh", "-ec", SCRIPT, "sh", stash, ...steps.flat()]);
}

/**
 * The command that hides `folders` from the program that is appended to it, in a mount namespace of
 * its own. It needs capabilities, so what takes them away comes after it.
 */
export function without(folders: readonly string[]): string[] {
  const script = `n=$1; shift; while [ "$n" -gt 0 ]; do mount -t tmpfs -o ${EMPTY} tmpfs "$1" || exit 126; shift; n=$((n-1)); done; exec "$@"`;
  const start = ["unshare", "--mount", "--propagation=private", "sh", "-c", script, "sh"];
  return [...start, String(folders.length), ...folders];
}

const isBelow = (path: string, folder: string): boolean =>
  path === folder || path.startsWith(`${folder}/`);

/** The real paths that exist, without those below another one. */
function outermost(paths: readonly string[]): string[] {
  const real = [
    ...new Set(paths.filter((path) => existsSync(path)).map((path) => realpathSync(path))),
  ];
  return real.filter(
    (path) => path !== "/" && !real.some((other) => other !== path && isBelow(path, other)),
  );
}

/**
 * Makes every mount of this mount namespace read-only that can be reached, but for those below
 * `writable`. Where the kernel refuses that for a mount (some network file systems), an empty
 * folder covers it. Throws EnvironmentError when one stays writable.
 */
export async function makeReadOnly(writable: readonly string[]): Promise<void> {
  const args = openMounts(writable).flatMap((mount) => [readOnlyAgain(mount), mount.path]);
  const script =
    'while [ $# -gt 0 ]; do mount -o "$1" "$2" || mount -t tmpfs -o ro,size=4k tmpfs "$2"; shift 2; done';
  const { stderr } = await run(["sh", "-c", script, "sh", ...args]);
  // A mount that another program removed meanwhile fails as well, and does not matter.
  const [open] = openMounts(writable);
  if (open === undefined) return;
  throw new EnvironmentError(
    `Cannot confine programs: ${open.path} must be read-only, but stays writable: ${stderr.trim().split("\n").at(-1)}`,
  );
}

/** Writable mounts that programs could reach, where no later mount covers them. */
function openMounts(writable: readonly string[]): Mount[] {
  const left = [...writable, "/proc", "/sys", "/dev"];
  const visible = new Map(mounts().map((mount) => [mount.path, mount]));
  return [...visible.values()].filter(
    ({ path, options }) =>
      !options.includes("ro") && existsSync(path) && !left.some((folder) => isBelow(path, folder)),
  );
}
