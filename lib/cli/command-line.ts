/** The parser: builds the command line from the command definitions and calls the one in `argv`. */
import { Command, CommanderError } from "commander";
import { UsageError } from "../base/errors.ts";
import type { CommandContext, CommandDefinition } from "./command.ts";
import { EXIT_CODES } from "./exit-codes.ts";

/**
 * Parses `argv` (without the program) and runs the command; resolves to the exit code.
 * Throws UsageError when `argv` breaks a rule.
 */
export async function runCommandLine(
  argv: readonly string[],
  commands: readonly CommandDefinition[],
  context: CommandContext,
): Promise<number> {
  let exitCode = 0;
  const program = new Command("runner.ts")
    .description("A lab that measures how well an AI SRE agent diagnoses a distributed system")
    .configureOutput({ writeErr: () => {} })
    .addHelpText("after", EXIT_CODES);
  for (const definition of commands) {
    const { word, help } = definition;
    const command = word === null ? program : program.command(word).description(help);
    definition
      .declare(command)
      .exitOverride()
      .allowExcessArguments(false)
      .action(async () => {
        const options = withChosenEngine(optionsOf(command), argv, context);
        exitCode = await definition.action(context, options, ...command.processedArgs);
      });
  }
  try {
    await program.parseAsync([...argv], { from: "user" });
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    if (error.exitCode === 0) return 0;
    const message = error.message.replace(/^error: /, "");
    throw new UsageError(`Cannot understand the command: ${message}; --help lists what exists`);
  }
  return exitCode;
}

/** Replaces the default engine by the one for this machine, and prints the reason. */
function withChosenEngine(
  options: Readonly<Record<string, unknown>>,
  argv: readonly string[],
  { engine: choice, progress }: CommandContext,
): Readonly<Record<string, unknown>> {
  const isWritten = argv.some((argument) => /^--engine(=|$)/.test(argument));
  if (choice === undefined || isWritten || !("engine" in options)) return options;
  const { engine, reason } = choice;
  if (reason !== undefined) progress().line(`engine: ${engine}, because ${reason}`);
  return { ...options, engine };
}

/**
 * A command's options. Commander stores a value of an option that the program declares, too, in
 * either of the two, so an explicit value has precedence over a default.
 */
function optionsOf(command: Command): Readonly<Record<string, unknown>> {
  const options: Record<string, unknown> = { ...command.opts() };
  const { parent } = command;
  for (const [name, value] of Object.entries(parent?.opts() ?? {})) {
    if (parent?.getOptionValueSource(name) !== "cli") continue;
    if (!command.options.some((option) => option.attributeName() === name)) {
      const flag = parent.options.find((option) => option.attributeName() === name)?.long ?? name;
      throw new UsageError(
        `Cannot understand the command: ${command.name()} takes no ${flag}; --help lists what exists`,
      );
    }
    options[name] = value;
  }
  return options;
}
