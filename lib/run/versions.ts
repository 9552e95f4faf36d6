/** Versions for the manifest. */
import { run } from "../base/shell.ts";

const PACKAGE = new URL("../../package.json", import.meta.url);

/** Versions of the runtime, the project and the other programs that run an engine's lab. */
export async function versions(engine: string): Promise<Record<string, string>> {
  // Containers have their own Prometheus, and a recording contains its version.
  if (engine !== "native") return projectVersions();
  const { stdout, stderr } = await run(["prometheus", "--version"], { timeoutMs: 5000 });
  const prometheus = /version (\S+)/.exec(stdout || stderr)?.[1] ?? "unknown";
  return { ...(await projectVersions()), prometheus };
}

/** Versions of the runtime and the project. */
export async function projectVersions(): Promise<Record<string, string>> {
  const manifest = (await Bun.file(PACKAGE).json()) as { version: string };
  return { project: manifest.version, bun: Bun.version };
}
