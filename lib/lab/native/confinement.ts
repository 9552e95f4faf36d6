/**
 * Takes away what the lab's programs do not need. They run without capabilities, as a user who owns
 * nothing, and see the project read-only at a path that exists inside the lab alone. Where there is
 * no such user, because one id is mapped, they keep the id of the person who started the lab, and
 * that person's files are hidden from them instead.
 */
import { existsSync, realpathSync } from "node:fs";
import { homedir } from "node:os";
import { dirname } from "node:path";
import { processEnv } from "../../base/env.ts";
import { UnfitMachineError } from "../../base/errors.ts";
import { findProgram } from "../../base/shell.ts";
import { bind, bindOwnedBy } from "../../sandbox/mounts.ts";
import { firstUnreadable, isMapped, NOBODY, withoutPrivileges } from "../../sandbox/privileges.ts";
import { hide, type Hiding, makeReadOnly, without } from "../../sandbox/view.ts";
import { APART, type Files, type PartName, PARTS } from "./layout.ts";

/** Below the lab's own /run, so it goes with the lab's mount namespace. */
const INSIDE = "/run/cms-programs";
const INSIDE_PROJECT = `${INSIDE}/project`;

/** Paths for programs, and the command that drops privileges before it starts them. */
export interface Confinement {
  readonly prefix: readonly string[];
  readonly bun: string;
  readonly projectDir: string;
  /** The folder that a part may write to. */
  readonly data: (part: PartName) => string;
  /** A path list of the environment as the programs have to read it. */
  readonly pathsInside: (list: string) => string;
}

/** Builds the confinement inside the supervisor's mount namespace; the folders for data exist. */
export async function confine(projectDir: string, files: Files): Promise<Confinement> {
  const bun = realpathSync(process.execPath);
  const isApart = isMapped(NOBODY);
  const data = (part: PartName): string => `${INSIDE}/${part}`;
  const inside = { bun: `${INSIDE}/bun`, projectDir: INSIDE_PROJECT, data };
  await Promise.all([
    bind(projectDir, INSIDE_PROJECT, { readOnly: true }),
    bind(bun, inside.bun, { readOnly: true }),
    ...PARTS.map((part) =>
      isApart
        ? bindOwnedBy(NOBODY, files.data(part), data(part))
        : bind(files.data(part), data(part)),
    ),
  ]);
  if (!isApart) {
    await makeReadOnly(["/run"]);
    await hide(hiddenOf(projectDir), `${INSIDE}/stash`);
  }
  const prefix = isApart
    ? withoutPrivileges({ uid: NOBODY })
    : [...without([APART, "/sys/fs/cgroup"]), ...withoutPrivileges()];
  const unreadable = await firstUnreadable(prefix, needed(inside.bun));
  if (unreadable !== undefined) {
    throw new UnfitMachineError(
      `Cannot confine the lab's programs: a user without privileges must be able to read ${unreadable}; \`chmod -R go+rX ${projectDir}\` allows it`,
    );
  }
  const pathsInside = (list: string): string =>
    list
      .split(":")
      .map((path) =>
        path.startsWith(`${projectDir}/`) ? INSIDE_PROJECT + path.slice(projectDir.length) : path,
      )
      .join(":");
  return { prefix, ...inside, pathsInside };
}

/**
 * What neither the programs nor the supervisor see where a person's id is all there is: that
 * person's files. What only programs must not see, they lose when they start.
 */
function hiddenOf(projectDir: string): Hiding {
  const env = processEnv();
  const modules = realpathSync(`${projectDir}/node_modules`);
  return {
    empty: [homedir(), "/home", "/root", projectDir, `${INSIDE_PROJECT}/.lab`],
    scratch: ["/tmp", "/var/tmp", "/dev/shm"],
    // Programs and libraries below the own home, installed or unpacked there.
    shown: [
      dirname(realpathSync(findProgram("prometheus") ?? "/usr/bin/env")),
      env["CYCLONEDDS_HOME"] ?? "",
      ...(env["PATH"] ?? "")
        .split(":")
        .filter((path) => path.startsWith(`${projectDir}/.packages`)),
      ...(env["LD_LIBRARY_PATH"] ?? "").split(":"),
      modules.startsWith(`${projectDir}/`) ? "" : modules,
    ].filter((path) => path.startsWith("/") && existsSync(path)),
  };
}

/** Files that stand for what the programs read. */
function needed(bun: string): string[] {
  return [
    bun,
    findProgram("prometheus") ?? "",
    `${INSIDE_PROJECT}/package.json`,
    `${INSIDE_PROJECT}/services/track-fusion/main.ts`,
    `${INSIDE_PROJECT}/node_modules/hono/package.json`,
    processEnv()["CYCLONEDDS_HOME"] ?? "",
  ].filter((path) => path !== "");
}
