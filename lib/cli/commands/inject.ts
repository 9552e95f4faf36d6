/** Injects a scenario's fault into the lab that is up. */
import { injectByHand } from "../../run/inject.ts";
import type { CommandDefinition } from "../command.ts";
import { type LabOptions, withLab } from "../options.ts";

export const inject: CommandDefinition<LabOptions, [string]> = {
  word: "inject",
  help: "inject a scenario's fault into the running lab",
  declare: (command) => withLab(command.argument("<scenario>")),
  action: async (context, { engine, lab: index }, scenario) => {
    await injectByHand(context, scenario, { engine, index });
    context.progress().line("`bun runner.ts cleanup` makes every service canonical again");
    return 0;
  },
};
