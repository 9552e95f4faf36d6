/** Resources of a native lab, read from /proc, /sys/fs/cgroup and the lab's folder. */
import { readdirSync, readFileSync, readlinkSync, statSync } from "node:fs";
import { join } from "node:path";
import type { LabStatus } from "../lab/lab.ts";
import { parentName } from "../lab/native/group-root.ts";
import { filesOf } from "../lab/native/layout.ts";

/** A process of the lab and its name. */
export interface Member {
  readonly name: string;
  readonly pid: number;
}

export interface Footprint {
  /** Proportional set size, bytes, by name. */
  readonly memory: ReadonlyMap<string, number>;
  readonly descriptors: number;
  /** Distinct namespaces of all kinds. */
  readonly namespaces: number;
  readonly groups: number;
  readonly telemetryBytes: number;
  readonly prometheusBytes: number;
}

const SUPERVISOR = "supervisor";

/** The processes of a running lab: services and parts, then supervisor and daemon. */
export function membersOf(status: LabStatus): Member[] {
  const inside = [
    ...status.services.map(({ service, pid }) => ({ name: service, pid })),
    ...status.parts,
  ].flatMap(({ name, pid }) => (pid === null ? [] : [{ name, pid }]));
  const supervisor = parentOf(inside[0]?.pid);
  // The process that holds the namespaces is between the two.
  const daemon = parentOf(parentOf(supervisor));
  return [
    ...inside,
    ...(supervisor === undefined ? [] : [{ name: SUPERVISOR, pid: supervisor }]),
    ...(daemon === undefined ? [] : [{ name: "daemon", pid: daemon }]),
  ];
}

function parentOf(pid: number | undefined): number | undefined {
  const ppid = Number(/^PPid:\s+(\d+)$/m.exec(read(`/proc/${pid}/status`))?.[1]);
  return ppid > 1 ? ppid : undefined;
}

/** Measures the members' resources; ended ones count as zero. */
export function footprintOf(
  members: readonly Member[],
  projectDir: string,
  index: number,
): Footprint {
  const memory = new Map<string, number>();
  const namespaces = new Set<string>();
  let descriptors = 0;
  for (const { name, pid } of members) {
    const pss = /^Pss:\s+(\d+) kB$/m.exec(read(`/proc/${pid}/smaps_rollup`))?.[1];
    memory.set(name, Number(pss ?? 0) * 1024);
    descriptors += list(`/proc/${pid}/fd`).length;
    for (const kind of list(`/proc/${pid}/ns`)) namespaces.add(link(`/proc/${pid}/ns/${kind}`));
  }
  const files = filesOf(projectDir, index);
  return {
    memory,
    descriptors,
    namespaces: namespaces.size,
    groups: groupsOf(index).length,
    telemetryBytes: sizeOf(files.data("telemetry")),
    prometheusBytes: sizeOf(files.data("prometheus")),
  };
}

/** Maximum depth of a lab's control groups below the root. */
const MAX_GROUP_DEPTH = 8;

/** The folders of the lab's control groups, for all controllers and roots. */
export function groupsOf(index: number): string[] {
  const name = parentName(index).split("/").at(-1) ?? "";
  const found: string[] = [];
  const walk = (folder: string, depth: number, isOurs: boolean): void => {
    for (const entry of folders(folder)) {
      const path = join(folder, entry);
      const ours = isOurs || entry === name;
      if (ours) found.push(path);
      if (depth < MAX_GROUP_DEPTH) walk(path, depth + 1, ours);
    }
  };
  walk("/sys/fs/cgroup", 0, false);
  return found;
}

/** Leftovers of a stopped lab: processes, control groups and sockets. */
export function leftoversOf(projectDir: string, index: number): string[] {
  const { sockets } = filesOf(projectDir, index);
  const left = list(sockets).length > 0 ? [sockets] : [];
  for (const pid of list("/proc").filter((name) => /^\d+$/.test(name))) {
    const line = read(`/proc/${pid}/cmdline`).replaceAll("\0", " ");
    if (/\/native\/(daemon|supervisor)\.ts /.test(line) && line.includes(`.ts ${index} `)) {
      left.push(line);
    }
  }
  return [...left, ...groupsOf(index)];
}

function sizeOf(folder: string): number {
  let bytes = 0;
  for (const path of list(folder, true)) {
    const stat = statSync(join(folder, path), { throwIfNoEntry: false });
    if (stat?.isFile() === true) bytes += stat.size;
  }
  return bytes;
}

function folders(path: string): string[] {
  try {
    return readdirSync(path, { withFileTypes: true })
      .filter((entry) => entry.isDirectory())
      .map(({ name }) => name);
  } catch {
    // Removed in the meantime.
    return [];
  }
}

function list(path: string, recursive = false): string[] {
  try {
    return readdirSync(path, { recursive, encoding: "utf8" });
  } catch {
    return [];
  }
}

function read(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return "";
  }
}

function link(path: string): string {
  try {
    return readlinkSync(path);
  } catch {
    return "";
  }
}
