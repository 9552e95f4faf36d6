/** Makes every service canonical again after an interrupted run. */
import { refuseToDisturb } from "../../run/labs.ts";
import type { CommandDefinition } from "../command.ts";
import { labOf, type LabOptions, withLab } from "../options.ts";

export const cleanup: CommandDefinition<LabOptions, []> = {
  word: "cleanup",
  help: "make every service of the running lab canonical again",
  declare: withLab,
  action: async (context, options) => {
    const lab = labOf(context, options);
    const progress = context.progress();
    const status = await lab.status();
    if (status === null) {
      // The processes of a lab end with the program that owns it; its files may remain.
      await lab.down();
      progress.line("the lab is not up; nothing is left of it");
      return 0;
    }
    refuseToDisturb(status);
    await lab.up({ signal: context.signal, onProgress: (line) => progress.line(line) });
    progress.line("every service is canonical");
    return 0;
  },
};
