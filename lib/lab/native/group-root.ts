/**
 * Where a lab's control groups stand, and that groups there may have limits. Root uses the
 * machine's tree; an ordinary user has the scope that the user's own systemd delegates to the
 * lab's daemon.
 */
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmdirSync,
  writeFileSync,
} from "node:fs";
import { messageOf, UnfitMachineError } from "../../base/errors.ts";
import { waitUntil } from "../../base/wait.ts";
import { CONTROLLERS, missingControllers } from "../../sandbox/controllers.ts";

const MOUNT = "/sys/fs/cgroup";
/** Holds processes that were in a group which has to pass its controllers on. */
const LEAF = "cms-lab-leaf";

/** A root with version 2 is one tree; with version 1 each controller has a tree below it. */
export const isV2 = (root: string): boolean => existsSync(`${root}/cgroup.controllers`);

/**
 * The groups of a lab stand below one parent, so that what is left of a lab can be removed by its
 * name.
 */
export const parentName = (index: number): string => `cms-lab-${index}`;

/**
 * The command that runs `argv` where its control groups are its own to divide. Root needs none; an
 * ordinary user's systemd makes a scope, which goes when its last process has ended.
 */
export function delegated(
  argv: readonly string[],
  index: number,
  isRoot = process.getuid?.() === 0,
): string[] {
  if (isRoot) return [...argv];
  // A name of its own each time: the scope of a lab that was killed may still be ending.
  const unit = `${parentName(index)}-${crypto.randomUUID().slice(0, 8)}`;
  const flags = ["--user", "--scope", "--quiet", "--collect", "--property=Delegate=yes"];
  return ["systemd-run", ...flags, `--unit=${unit}`, ...argv];
}

/** The root of every lab of this user; undefined without root, where each lab has its own. */
export const usualRoot = (): string | undefined => (process.getuid?.() === 0 ? MOUNT : undefined);

/** Makes the lab's parent group; returns the root that it stands in. For the daemon alone. */
export function openGroups(index: number, root = usualRoot() ?? ownGroup()): string {
  if (!isV2(root)) return root;
  const offered = readFileSync(`${root}/cgroup.controllers`, "utf8").trim();
  const missing = missingControllers(offered);
  if (missing.length > 0) {
    throw new UnfitMachineError(
      `Cannot limit the lab's services: ${root}/cgroup.controllers must name ${CONTROLLERS.join(" and ")}, but has only ${JSON.stringify(offered)}`,
    );
  }
  passOn(root);
  const parent = `${root}/${parentName(index)}`;
  mkdirSync(parent, { recursive: true });
  passOn(parent);
  return root;
}

/** The group of this process, below the mount. */
function ownGroup(): string {
  const path = /^0::(\/.*)$/m.exec(readFileSync("/proc/self/cgroup", "utf8"))?.[1];
  if (path !== undefined && existsSync(`${MOUNT}${path}`)) return `${MOUNT}${path}`;
  throw new UnfitMachineError(
    `Cannot limit the lab's services: without root, this process must be in a control group of version 2, but is in ${path ?? "none"}`,
  );
}

/** Lets groups below `folder` have limits. */
function passOn(folder: string): void {
  const file = `${folder}/cgroup.subtree_control`;
  if (missingControllers(readFileSync(file, "utf8")).length === 0) return;
  try {
    emptyInto(folder, `${folder}/${LEAF}`);
    writeFileSync(file, CONTROLLERS.map((name) => `+${name}`).join(" "));
  } catch (error) {
    throw new UnfitMachineError(
      `Cannot limit the lab's services: ${file} must take ${CONTROLLERS.join(" and ")}: ${messageOf(error)}`,
      { cause: error },
    );
  }
}

/**
 * The kernel passes no controllers on from a group with processes in it, such as that of a
 * container. Only the root of the whole machine may have both; it alone has no cgroup.type.
 */
function emptyInto(folder: string, leaf: string): void {
  if (!existsSync(`${folder}/cgroup.type`)) return;
  const inside = (): string[] =>
    readFileSync(`${folder}/cgroup.procs`, "utf8").split("\n").filter(Boolean);
  if (inside().length === 0) return;
  mkdirSync(leaf, { recursive: true });
  // Processes start others meanwhile.
  for (let rounds = 0; rounds < 100; rounds += 1) {
    for (const pid of inside()) move(pid, leaf);
    if (inside().length === 0) return;
  }
}

function move(pid: string, leaf: string): void {
  try {
    writeFileSync(`${leaf}/cgroup.procs`, pid);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ESRCH") throw error;
  }
}

/** Removes all groups of a lab; those with processes stay. Returns the folders that are left. */
export function removeGroups(root: string, index: number): string[] {
  const left: string[] = [];
  const trees = isV2(root) ? [root] : ["cpu", "cpuacct", "memory"].map((name) => `${root}/${name}`);
  for (const parent of new Set(trees.map((tree) => `${tree}/${parentName(index)}`))) {
    if (!existsSync(parent)) continue;
    for (const entry of readdirSync(parent, { withFileTypes: true })) {
      if (entry.isDirectory()) remove(`${parent}/${entry.name}`, left);
    }
    remove(parent, left);
  }
  return left;
}

/** How long processes that were just killed may take to leave their groups. */
const EMPTY_DEADLINE_MS = 20_000;

/** Removes all groups of a lab as soon as the processes that were killed have left them. */
export async function emptyGroups(root: string, index: number): Promise<void> {
  await waitUntil(
    () => {
      const left = removeGroups(root, index);
      return { ok: left.length === 0, seen: left.join(", ") };
    },
    {
      what: "the lab's control groups to empty",
      deadlineMs: EMPTY_DEADLINE_MS,
      intervalMs: 50,
    },
  );
}

function remove(folder: string, left: string[]): void {
  try {
    rmdirSync(folder);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ENOENT") left.push(folder);
  }
}
