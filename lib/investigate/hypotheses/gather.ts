/** The first calls of every investigator. */
import type { Transcript } from "../investigator.ts";
import type { Call, Toolbox } from "../toolbox.ts";

const FIRST_CALLS = [
  ["inventory", {}],
  ["alerts", {}],
  ["compare", { service: "all" }],
] as const;

/**
 * Calls the tools for the inventory, the alerts and the changes. A failed call is noted and
 * returned like the others.
 */
export async function gather(tools: Toolbox, transcript: Transcript): Promise<Call[]> {
  const calls: Call[] = [];
  for (const [tool, args] of FIRST_CALLS) {
    const call = await tools.call(tool, args);
    const said = call.ok ? `${call.facts.length} facts` : `failed: ${call.error ?? ""}`;
    transcript.note(`${call.id} ${tool}: ${said}`);
    calls.push(call);
  }
  return calls;
}
