/** Checks the requirements of a native lab before anything is started. */
import { existsSync } from "node:fs";
import { EnvironmentError } from "../../base/errors.ts";
import { forwards } from "./layout.ts";
import { portProblem } from "./port-holder.ts";

const TOOLS = ["unshare", "ip", "mount", "setpriv", "prometheus"] as const;

/** Throws EnvironmentError for the first missing requirement, with how to provide it. */
export async function preflight(index: number): Promise<void> {
  checkMachine();
  await checkPorts(index);
}

/** Throws EnvironmentError unless a native lab can run on this machine. */
export function checkMachine(): void {
  if (process.platform !== "linux") {
    throw new EnvironmentError(
      `Cannot start the native lab: it needs Linux, but this is ${process.platform}`,
    );
  }
  if (process.getuid?.() !== 0) {
    throw new EnvironmentError(
      `Cannot start the native lab: it must run as root, but runs as uid ${process.getuid?.()}; try \`sudo npx --yes bun run up\``,
    );
  }
  for (const tool of TOOLS) {
    if (Bun.which(tool) === null) {
      throw new EnvironmentError(
        `Cannot start the native lab: ${tool} must be on PATH; \`bun lib/setup/main.ts\` installs it`,
      );
    }
  }
  if (!existsSync("/sys/fs/cgroup")) {
    throw new EnvironmentError(
      "Cannot start the native lab: control groups must be mounted at /sys/fs/cgroup",
    );
  }
}

/**
 * Throws EnvironmentError for the first port of the lab that is taken, with the program that holds
 * it.
 */
export async function checkPorts(index: number): Promise<void> {
  for (const { hostPort } of forwards(index)) {
    const problem = await portProblem(hostPort);
    if (problem === undefined) continue;
    throw new EnvironmentError(
      `Cannot start the native lab: port ${hostPort} must be free, but ${problem}`,
    );
  }
}
