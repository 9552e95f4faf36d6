/** Checks whether a host port is free, and finds the program that holds it. */
import { createServer } from "node:net";
import { run } from "../../base/shell.ts";

/** Why `port` cannot be listened on; undefined if it can. */
export async function portProblem(port: number): Promise<string | undefined> {
  const { promise, resolve } = Promise.withResolvers<NodeJS.ErrnoException | undefined>();
  const server = createServer().once("error", resolve);
  server.listen(port, "127.0.0.1", () => server.close(() => resolve(undefined)));
  const error = await promise;
  if (error?.code !== "EADDRINUSE") return error?.message;
  return `${(await portHolder(port)) ?? "another program"} listens on it`;
}

/**
 * The program that listens on `port`, as `name (process id)`; undefined if `ss` does not show it.
 */
export async function portHolder(port: number): Promise<string | undefined> {
  if (Bun.which("ss") === null) return undefined;
  const { stdout } = await run(["ss", "-Hltnp", `sport = :${port}`], { timeoutMs: 5000 });
  const [, name, pid] = /"([^"]+)",pid=(\d+)/.exec(stdout) ?? [];
  return pid === undefined ? undefined : `${name} (process ${pid})`;
}
