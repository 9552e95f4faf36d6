/** The versions that the manifest names. */
import { run } from "../base/shell.ts";

/** Versions of the runtime, the project and Prometheus. */
export async function versions(): Promise<Record<string, string>> {
  const { stdout, stderr } = await run(["prometheus", "--version"], { timeoutMs: 5000 });
  const prometheus = /version (\S+)/.exec(stdout || stderr)?.[1] ?? "unknown";
  const manifest = (await Bun.file(new URL("../../package.json", import.meta.url)).json()) as {
    version: string;
  };
  return { project: manifest.version, bun: Bun.version, prometheus };
}
