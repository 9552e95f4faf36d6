/** Checks, before anything is started, that a native lab can run on this machine. */
import { EnvironmentError, UnfitMachineError } from "../../base/errors.ts";
import { findProgram } from "../../base/shell.ts";
import { obstacles } from "../../sandbox/obstacles.ts";
import { forwards } from "./layout.ts";
import { portProblem } from "./port-holder.ts";

const TOOLS = ["unshare", "ip", "mount", "setpriv", "prometheus"] as const;

/** Throws EnvironmentError with what is missing, or what is taken, and how to get it. */
export async function preflight(index: number): Promise<void> {
  checkMachine();
  await checkPorts(index);
}

/** Throws UnfitMachineError with all that keeps a native lab from this machine. */
export function checkMachine(): void {
  const problems = process.platform === "linux" ? problemsOnLinux() : [otherSystem()];
  if (problems.length > 0) {
    throw new UnfitMachineError(`Cannot start the native lab: ${problems.join("; ")}`);
  }
}

const otherSystem = (): string => `it needs Linux, but this is ${process.platform}`;

function problemsOnLinux(): string[] {
  const missing = TOOLS.filter((tool) => findProgram(tool) === null);
  const absent = `${missing.join(", ")} must be on PATH; \`bun lib/setup/main.ts\` brings what is missing`;
  return [...(missing.length > 0 ? [absent] : []), ...obstacles()];
}

/** Throws EnvironmentError with the first of the lab's ports that is taken, and by whom. */
export async function checkPorts(index: number): Promise<void> {
  for (const { hostPort } of forwards(index)) {
    const problem = await portProblem(hostPort);
    if (problem === undefined) continue;
    throw new EnvironmentError(
      `Cannot start the native lab: port ${hostPort} must be free, but ${problem}`,
    );
  }
}
