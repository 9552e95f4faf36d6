/** Connects the command line to what the commands do. */
import { createLab } from "../lab/create-lab.ts";
import { type Handlers, runCommandLine } from "./command-line.ts";
import type { CommandContext } from "../run/context.ts";
import { doctor } from "./doctor-command.ts";
import { inject } from "./inject-command.ts";
import { cleanup, down, logs, ps, up } from "./lab-commands.ts";
import { report } from "./report-command.ts";
import { examine, run } from "./run-command.ts";
import { verify } from "./verify-command.ts";

/** Runs one command and returns the exit code. */
export function execute(
  argv: readonly string[],
  base: Pick<CommandContext, "signal" | "print">,
): Promise<number> {
  const context: CommandContext = { ...base, createLab };
  const handlers: Handlers = {
    up: (options) => up(context, options),
    down: (options) => down(context, options),
    ps: (options) => ps(context, options),
    logs: (service, options) => logs(context, service, options),
    cleanup: (options) => cleanup(context, options),
    inject: (scenario, options) => inject(context, scenario, options),
    run: (scenario, options) => run(context, scenario, options),
    mcp: (scenario, options) => examine(context, scenario, options),
    verify: (scenarios, options) => verify(context, scenarios, options),
    doctor: (options) => doctor(context, options),
    report: (folders, options) => report(context, folders, options),
  };
  return runCommandLine(argv, handlers);
}
