/** The calls with which every investigation begins. */
import type { Transcript } from "../investigator.ts";
import type { Call, Toolbox } from "../toolbox.ts";

const FIRST_CALLS = [
  ["inventory", {}],
  ["alerts", {}],
  ["compare", { service: "all" }],
] as const;

/** Asks for the inventory, the alerts and what changed. A failed call is noted and returned like the others. */
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
