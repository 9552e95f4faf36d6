/** Runs one command in this terminal. */
import { createRunContext } from "../run/context.ts";
import type { CommandContext } from "./command.ts";
import { runCommandLine } from "./command-line.ts";
import { COMMANDS } from "./commands/list.ts";
import { createTerminalProgress } from "./terminal-progress.ts";

/** Runs the command and resolves to the exit code. */
export function execute(
  argv: readonly string[],
  { engine, print, signal }: Pick<CommandContext, "engine" | "signal" | "print">,
): Promise<number> {
  const progress = (prefix = "") => createTerminalProgress({ prefix });
  const context = createRunContext({ signal, progress });
  return runCommandLine(argv, COMMANDS, { ...context, engine, print });
}
