/**
 * Takes away what the lab's programs do not need: they run as a user who owns nothing, without any capability, and
 * see the project read-only. A project or a runtime in a folder that only root may enter (such as `/root`) is
 * shown to them at another path, which exists inside the lab alone.
 */
import { existsSync, mkdirSync, realpathSync, writeFileSync } from "node:fs";
import { processEnv } from "../../base/env.ts";
import { mustRun, run } from "../../base/shell.ts";
import type { PartName } from "./layout.ts";

/** "nobody" on every Linux. It cannot reach the host's processes of that name: those are in another pid namespace. */
const UID = "65534";
/** Below the folder that the lab mounts over /run/netns, so it goes with the lab's mount namespace. */
const INSIDE = "/run/netns/.programs";

const WITHOUT_CAPABILITIES = ["--no-new-privs", "--bounding-set=-all", "--inh-caps=-all"];

/** Where programs find things, and the command that gives up privileges before it starts them. */
export interface Confinement {
  readonly prefix: readonly string[];
  readonly bun: string;
  readonly projectDir: string;
  /** The folder that a part may write to. */
  readonly data: (part: PartName) => string;
  /** Why the programs still run as root; undefined when they do not. */
  readonly weakness?: string;
}

export interface ConfinementOptions {
  readonly projectDir: string;
  /** Folders, by part, that the programs write to. They exist. */
  readonly data: Readonly<Record<PartName, string>>;
}

/** Builds the confinement inside the supervisor's mount namespace, after the network's set-up. */
export async function confine({ projectDir, data }: ConfinementOptions): Promise<Confinement> {
  const bun = realpathSync(process.execPath);
  const inside = {
    bun: `${INSIDE}/bun`,
    projectDir: `${INSIDE}/project`,
    data: (part: PartName) => `${INSIDE}/${part}`,
  };
  const prefix = [
    "setpriv",
    `--reuid=${UID}`,
    `--regid=${UID}`,
    "--clear-groups",
    ...WITHOUT_CAPABILITIES,
  ];
  mkdirSync(inside.projectDir, { recursive: true });
  writeFileSync(inside.bun, "");
  await Promise.all([
    mustRun(["mount", "-o", "bind,ro", projectDir, inside.projectDir]),
    mustRun(["mount", "--bind", bun, inside.bun]),
    ...Object.entries(data).map(async ([part, folder]) => {
      await mustRun(["chown", "-R", `${UID}:${UID}`, folder]);
      mkdirSync(inside.data(part as PartName));
      await mustRun(["mount", "--bind", folder, inside.data(part as PartName)]);
    }),
  ]);
  const weakness = await unreachable(prefix, inside.bun, inside.projectDir);
  if (weakness === undefined) return { prefix, ...inside };
  return {
    prefix: ["setpriv", ...WITHOUT_CAPABILITIES],
    bun,
    projectDir,
    data: (part) => data[part],
    weakness,
  };
}

/** What the unprivileged user cannot read of that which programs need; undefined when all is well. */
async function unreachable(
  prefix: readonly string[],
  bun: string,
  projectDir: string,
): Promise<string | undefined> {
  const library = processEnv()["CYCLONEDDS_HOME"] ?? "";
  const paths = [
    bun,
    Bun.which("prometheus") ?? "",
    `${projectDir}/package.json`,
    `${projectDir}/services/track-fusion/main.ts`,
    `${projectDir}/node_modules/hono/package.json`,
    library,
  ].filter((path) => path !== "" && existsSync(path));
  const script = 'for f; do [ -r "$f" ] || { echo "$f"; exit 1; }; done';
  const { code, stdout, stderr } = await run([...prefix, "sh", "-c", script, "sh", ...paths]);
  return code === 0 ? undefined : (stdout || stderr).trim();
}
