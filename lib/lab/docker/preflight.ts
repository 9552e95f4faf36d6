/** Checks the requirements of a container lab before anything is started. */
import { EnvironmentError } from "../../base/errors.ts";
import { portProblem } from "../native/port-holder.ts";
import { published } from "./layout.ts";

/**
 * Throws EnvironmentError for the first port of the lab that is taken, with the program that holds
 * it.
 */
export async function checkPorts(index: number): Promise<void> {
  for (const { hostPort } of published(index)) {
    const problem = await portProblem(hostPort);
    if (problem === undefined) continue;
    throw new EnvironmentError(
      `Cannot start the lab in containers: port ${hostPort} must be free, but ${problem}; end it, or choose another lab with --lab`,
    );
  }
}
