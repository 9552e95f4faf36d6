/** Examines an agent that connects over the Model Context Protocol. */
import { UsageError } from "../../base/errors.ts";
import { examineBlind } from "../../run/blind.ts";
import { mcpInvestigator } from "../../run/investigators.ts";
import type { CommandDefinition } from "../command.ts";
import { type RunOptions, whole, withRun } from "../options.ts";
import { printRuns, runAndPrint } from "./run.ts";

interface McpOptions extends RunOptions {
  readonly port: number;
  readonly minutes: number;
  readonly blind: boolean;
  readonly incidents: string;
}

export const mcp: CommandDefinition<McpOptions, [string | undefined]> = {
  word: "mcp",
  help: "examine whoever connects over the Model Context Protocol: on one scenario, or --blind",
  declare: (command) =>
    withRun(command.argument("[scenario]"))
      .option(
        "--port <n>",
        "port of the tools on loopback; 0 for a free one",
        whole(0, 65_535, "a port"),
        7300,
      )
      .option("--minutes <n>", "time for the investigation", whole(1, 1440, "minutes"), 30)
      .option("--blind", "a recorded incident that --seed chooses and that nobody is told", false)
      .option("--incidents <path>", "the recorded incidents of --blind", "results/incidents"),
  action: async (context, options, scenario) => {
    const { blind, incidents, seed, results } = options;
    const investigator = mcpInvestigator(options);
    if (!blind) return runAndPrint(context, [investigator], scenario, options);
    if (scenario !== undefined) {
      throw new UsageError(`Cannot examine ${scenario} blindly: --blind takes no scenario`);
    }
    const request = { paths: [incidents], seed, investigator, results: `${results}/blind` };
    return printRuns(context, await examineBlind(context, request), options);
  },
};
