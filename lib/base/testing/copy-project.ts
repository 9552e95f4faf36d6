/** Copies the project to a temporary folder, for tests that add files to it. */
import { chmod, cp, mkdir, mkdtemp, rm, symlink } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { processEnv } from "../env.ts";
import { run } from "../shell.ts";

const ROOT = join(import.meta.dir, "../../..");
const FILES = new Set(["runner.ts", "package.json", "bun.lock", "bunfig.toml", "tsconfig.json"]);

export interface ProjectCopy {
  readonly folder: string;
  /** Runs Bun in the copy and returns its output and its exit code. */
  bun(...argv: string[]): Promise<{ text: string; code: number }>;
  remove(): Promise<void>;
}

/** Copies these folders, and the top-level files that every program needs. */
export async function copyProject(folders: readonly string[]): Promise<ProjectCopy> {
  const folder = await mkdtemp(join(tmpdir(), "project-"));
  // The lab's programs run as another user, who must be able to read the files.
  await chmod(folder, 0o755);
  const { stdout } = await run(["git", "ls-files", "-co", "--exclude-standard"], { cwd: ROOT });
  const wanted = stdout
    .split("\n")
    .filter((path) => FILES.has(path) || folders.includes(path.split("/")[0] ?? ""));
  for (const path of wanted) {
    if (!(await Bun.file(join(ROOT, path)).exists())) continue;
    await mkdir(dirname(join(folder, path)), { recursive: true });
    await cp(join(ROOT, path), join(folder, path));
  }
  await symlink(join(ROOT, "node_modules"), join(folder, "node_modules"));
  return {
    folder,
    bun: async (...argv) => {
      const options = { cwd: folder, env: processEnv(), timeoutMs: 300_000 };
      const { stdout, stderr, code } = await run([process.execPath, ...argv], options);
      return { text: stdout + stderr, code };
    },
    remove: () => rm(folder, { recursive: true, force: true }),
  };
}
