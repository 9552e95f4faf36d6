/** Tries an incident again when its environment fails. */
import type { Outcome } from "../score/run-record.ts";
import { checkResultsFolder } from "./artefacts.ts";
import type { Incident } from "./incident.ts";
import type { Progress } from "./progress.ts";

/** Maximum number of attempts at an incident when its environment fails. */
const MAX_ATTEMPTS = 2;

/**
 * Throws EnvironmentError if `folder` cannot hold the incident. Returns the last attempt, and the
 * outcomes of earlier attempts after those in `before`.
 */
export async function untilValid(
  attempt: () => Promise<Incident>,
  before: readonly Outcome[],
  progress: Progress,
  folder: string,
  maxAttempts = MAX_ATTEMPTS,
): Promise<{ readonly incident: Incident; readonly earlier: readonly Outcome[] }> {
  const earlier = [...before];
  checkResultsFolder(folder);
  let incident = await attempt();
  for (
    let tries = 1;
    incident.outcome.kind === "environment-invalid" && tries < maxAttempts;
    tries++
  ) {
    const { phase, reason } = incident.outcome;
    progress.line(`trying once more: invalid in phase ${phase}: ${reason}`);
    earlier.push(incident.outcome);
    incident = await attempt();
  }
  return { incident, earlier };
}
