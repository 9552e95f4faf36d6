/**
 * The tool that acts, for agents that examine a running system: few steps, each after a dry run of
 * the same remedy. Its answers reveal nothing about the state that it found, so a dry run cannot be
 * used for diagnosis.
 */
import { z } from "zod";
import { RemedySchema } from "../../contract/answer.ts";
import type { Actuator } from "../investigator.ts";
import { type Tool, tool } from "./tool.ts";

/** Maximum number of remedies that an agent may execute. */
export const MAX_STEPS = 3;

const schema = z.strictObject({
  action: RemedySchema.shape.action,
  target: RemedySchema.shape.target,
  parameters: RemedySchema.shape.parameters.default({}),
  dry_run: z.boolean().describe("true: say what would be done; needed once before each step"),
});

export function applyTool(actuator: Actuator): Tool {
  const tried = new Set<string>();
  let steps = 0;
  const description = `Acts in the running system: carries out a remedy, at most ${MAX_STEPS} in all, each after a dry run of the same. Look at the telemetry afterwards.`;
  const run = async ({ dry_run, ...asked }: z.infer<typeof schema>) => {
    const remedy = { ...asked, prose: "" };
    const said = actuator.preview(remedy);
    const key = JSON.stringify([asked.action, asked.target, Object.entries(asked.parameters)]);
    if (dry_run) {
      tried.add(key);
      return { facts: [], notes: [`would ${said}`, stepsLeft()] };
    }
    if (!tried.has(key)) throw new RangeError("each step needs a dry run of the same remedy first");
    if (steps >= MAX_STEPS) throw new RangeError(`at most ${MAX_STEPS} steps are allowed`);
    steps++;
    tried.delete(key);
    return { facts: [], notes: [await actuator.apply(remedy), stepsLeft()] };
  };
  const stepsLeft = (): string => `${MAX_STEPS - steps} steps left`;
  return { ...tool(description, schema, run), acts: true };
}
