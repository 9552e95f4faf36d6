/** Stops the lab. */
import type { CommandDefinition } from "../command.ts";
import { labOf, type LabOptions, withLab } from "../options.ts";

export const down: CommandDefinition<LabOptions, []> = {
  word: "down",
  help: "stop the lab and leave nothing behind",
  declare: withLab,
  action: async (context, options) => {
    await labOf(context, options).down();
    context.progress().line("the lab is down; nothing is left of it");
    return 0;
  },
};
