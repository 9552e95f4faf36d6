/**
 * What keeps this user from making namespaces or from limiting processes on this machine, each with
 * the line that changes it. Looks at the machine only, and changes nothing.
 */
import { accessSync, constants, existsSync, readFileSync } from "node:fs";
import { processEnv } from "../base/env.ts";
import { messageOf } from "../base/errors.ts";
import { findProgram } from "../base/shell.ts";
import { CONTROLLERS, missingControllers } from "./controllers.ts";
import { inNewNamespaces } from "./namespaces.ts";

/** A Linux machine and the user of this program, as far as the answers depend on them. */
export interface Host {
  readonly uid: number;
  /** A file's text; undefined when it cannot be read. */
  readonly read: (path: string) => string | undefined;
  readonly exists: (path: string) => boolean;
  readonly mayWrite: (path: string) => boolean;
  /** Whether the program is on the PATH. */
  readonly has: (program: string) => boolean;
  /** Makes the namespaces of a lab and a mount in them; returns what the kernel refused. */
  readonly tryNamespaces: () => string | undefined;
}

export const thisHost: Host = {
  uid: process.getuid?.() ?? -1,
  read: (path) => {
    try {
      return readFileSync(path, "utf8");
    } catch {
      return undefined;
    }
  },
  exists: existsSync,
  mayWrite: (path) => {
    try {
      accessSync(path, constants.W_OK);
      return true;
    } catch {
      return false;
    }
  },
  has: (program) => findProgram(program) !== null,
  tryNamespaces: () => {
    const user = process.getuid?.() !== 0;
    const argv = inNewNamespaces(["mount", "--make-rprivate", "/"], { user });
    try {
      const { exitCode, stderr } = Bun.spawnSync(argv, { env: { ...processEnv() } });
      return exitCode === 0 ? undefined : stderr.toString().trim().split("\n").at(-1);
    } catch (error) {
      return messageOf(error);
    }
  },
};

/** All that stands in the way of a lab in namespaces; nothing does when the list is empty. */
export function obstacles(host: Host = thisHost): string[] {
  return [namespaceObstacle(host), controlGroupObstacle(host)].filter((one) => one !== undefined);
}

/** Settings that forbid namespaces to ordinary users: file, forbidding value, and the way out. */
const FORBIDDING = [
  ["/proc/sys/kernel/apparmor_restrict_unprivileged_userns", "1", "=0"],
  ["/proc/sys/kernel/unprivileged_userns_clone", "0", "=1"],
  ["/proc/sys/user/max_user_namespaces", "0", "=15000"],
] as const;

export function namespaceObstacle(host: Host): string | undefined {
  // Where the tool is still to be installed, nothing is known yet.
  if (!host.has("unshare") || !host.has("mount")) return undefined;
  const refused = host.tryNamespaces();
  if (refused === undefined) return undefined;
  if (host.uid === 0) {
    return `root may not make namespaces here (${refused}); a container must be started with --privileged`;
  }
  for (const [file, forbidding, change] of FORBIDDING) {
    if (host.read(file)?.trim() !== forbidding) continue;
    const setting = file.replace("/proc/sys/", "").replaceAll("/", ".");
    return `${setting} forbids namespaces to users; \`sudo sysctl -w ${setting}${change}\` allows them`;
  }
  return `this kernel refuses namespaces to uid ${host.uid} (${refused})`;
}

const MOUNT = "/sys/fs/cgroup";

export function controlGroupObstacle(host: Host): string | undefined {
  if (!host.exists(MOUNT)) return `control groups must be mounted at ${MOUNT}`;
  const isV2 = host.exists(`${MOUNT}/cgroup.controllers`);
  if (host.uid !== 0) return isV2 ? userGroupObstacle(host) : V1_NEEDS_ROOT;
  const folders = isV2 ? [MOUNT] : CONTROLLERS.map((name) => `${MOUNT}/${name}`);
  const closed = folders.find((folder) => !host.mayWrite(folder));
  if (closed !== undefined) {
    return `control groups must be writable at ${closed}, but are not; a container must be started with --privileged`;
  }
  const missing = isV2 ? missingControllers(host.read(`${MOUNT}/cgroup.controllers`) ?? "") : [];
  if (missing.length === 0) return undefined;
  return `${MOUNT}/cgroup.controllers must name ${missing.join(" and ")}, but does not; the kernel's command line must not disable it (cgroup_enable=memory enables it)`;
}

const V1_NEEDS_ROOT =
  "control groups version 1 are here, which only root may use; version 2 is on with systemd.unified_cgroup_hierarchy=1 on the kernel's command line";

/** Whether this Linux runs in Windows' subsystem for it. */
export const isWsl = (read: Host["read"]): boolean =>
  /microsoft/i.test(read("/proc/version") ?? "");

/** An ordinary user has the groups that the user's own systemd is given. */
function userGroupObstacle({ uid, exists, has, read }: Host): string | undefined {
  const own = `${MOUNT}/user.slice/user-${uid}.slice/user@${uid}.service`;
  if (!exists("/run/systemd/system") && isWsl(read)) {
    return "limits without root need systemd, which WSL2 starts after `printf '[boot]\\nsystemd=true\\n' | sudo tee -a /etc/wsl.conf` here and `wsl --shutdown` in Windows";
  }
  if (!has("systemd-run") || !exists(own)) {
    return `limits without root need the systemd of user ${uid}, which does not run; \`sudo loginctl enable-linger ${uid}\` starts it`;
  }
  const missing = missingControllers(read(`${own}/cgroup.controllers`) ?? "");
  if (missing.length === 0) return undefined;
  return `${own}/cgroup.controllers must name ${missing.join(" and ")}, but does not; \`sudo systemctl set-property user@${uid}.service Delegate="cpu memory pids"\` passes them on`;
}
