/** Merges stored runs into one summary and one report. */
import { mergeResults, type MergeOptions } from "../../run/report.ts";
import type { CommandDefinition } from "../command.ts";

export const report: CommandDefinition<MergeOptions, [readonly string[]]> = {
  word: "report",
  help: "merge result folders into one summary and report",
  declare: (command) =>
    command
      .argument("<folders...>", "folders with campaigns, such as those of several shards")
      .option("--results <folder>", "where the merged summary goes", "results")
      .option("--readme", "write the table into the README too", false)
      .option("--rescore", "score every kept run again by the current rubric", false),
  action: async (context, options, folders) => {
    context.print(await mergeResults(folders, options, context.progress()));
    return 0;
  },
};
