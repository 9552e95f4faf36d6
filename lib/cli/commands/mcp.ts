/** Runs one scenario for an agent that connects over the Model Context Protocol. */
import { mcpInvestigator } from "../../run/investigators.ts";
import type { CommandDefinition } from "../command.ts";
import { type RunOptions, whole, withRun } from "../options.ts";
import { runAndPrint } from "./run.ts";

interface McpOptions extends RunOptions {
  readonly port: number;
  readonly minutes: number;
}

export const mcp: CommandDefinition<McpOptions, [string]> = {
  word: "mcp",
  help: "run one scenario for whoever connects over the Model Context Protocol",
  declare: (command) =>
    withRun(command.argument("<scenario>"))
      .option(
        "--port <n>",
        "port of the tools on loopback; 0 for a free one",
        whole(0, 65_535, "a port"),
        7300,
      )
      .option("--minutes <n>", "time for the investigation", whole(1, 1440, "minutes"), 30),
  action: (context, options, scenario) =>
    runAndPrint(context, [mcpInvestigator(options)], scenario, options),
};
