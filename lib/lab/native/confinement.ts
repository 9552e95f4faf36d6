/**
 * Restricts the lab's programs: they run as an unprivileged user without capabilities, and the
 * project is read-only. A project or runtime in a folder that only root may enter (such as `/root`)
 * is mounted at a path inside the lab.
 */
import { realpathSync } from "node:fs";
import { processEnv } from "../../base/env.ts";
import { bind, bindOwnedBy } from "../../sandbox/mounts.ts";
import { firstUnreadable, NOBODY, withoutPrivileges } from "../../sandbox/privileges.ts";
import type { PartName } from "./layout.ts";

/**
 * Below the folder that the lab mounts over /run/netns, so it disappears with the lab's mount
 * namespace.
 */
const INSIDE = "/run/netns/.programs";

/** Paths for programs, and the command that drops privileges before it starts them. */
export interface Confinement {
  readonly prefix: readonly string[];
  readonly bun: string;
  readonly projectDir: string;
  /** The folder that a part may write to. */
  readonly data: (part: PartName) => string;
  /** Why programs still run as root; undefined if they do not. */
  readonly weakness?: string;
}

export interface ConfinementOptions {
  readonly projectDir: string;
  /** Writable folders by part. They exist. */
  readonly data: Readonly<Record<PartName, string>>;
}

/** Sets up the confinement in the supervisor's mount namespace, after the network. */
export async function confine({ projectDir, data }: ConfinementOptions): Promise<Confinement> {
  const bun = realpathSync(process.execPath);
  const inside = {
    bun: `${INSIDE}/bun`,
    projectDir: `${INSIDE}/project`,
    data: (part: PartName) => `${INSIDE}/${part}`,
  };
  await Promise.all([
    bind(projectDir, inside.projectDir, { readOnly: true }),
    bind(bun, inside.bun),
    ...Object.entries(data).map(([part, folder]) =>
      bindOwnedBy(NOBODY, folder, inside.data(part as PartName)),
    ),
  ]);
  const prefix = withoutPrivileges({ uid: NOBODY });
  const weakness = await firstUnreadable(prefix, needed(inside.bun, inside.projectDir));
  if (weakness === undefined) return { prefix, ...inside };
  return { prefix: withoutPrivileges(), bun, projectDir, data: (part) => data[part], weakness };
}

/** Files that represent what the programs must read. */
function needed(bun: string, projectDir: string): string[] {
  return [
    bun,
    Bun.which("prometheus") ?? "",
    `${projectDir}/package.json`,
    `${projectDir}/services/track-fusion/main.ts`,
    `${projectDir}/node_modules/hono/package.json`,
    processEnv()["CYCLONEDDS_HOME"] ?? "",
  ].filter((path) => path !== "");
}
