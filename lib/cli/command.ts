/** What a command is: its word, its help, its arguments and options, and what it does. */
import type { Command } from "commander";
import type { RunContext } from "../run/context.ts";
import type { EngineChoice } from "../setup/choose-engine.ts";

/** What every command gets. */
export interface CommandContext extends RunContext {
  /** Writes a line to standard output. */
  readonly print: (text: string) => void;
  /** Chooses the engine when `--engine` is absent; without it, the native engine. */
  readonly engine?: EngineChoice | undefined;
}

/**
 * A command, as the parser and the help see it. `Options` and `Args` state what `declare` makes the
 * parser accept: commander cannot infer them. `action` is a method, so that the list of commands
 * may hold definitions with different options.
 */
export interface CommandDefinition<Options = unknown, Args extends readonly unknown[] = unknown[]> {
  /** The word that calls it; null for the command without a word. */
  readonly word: string | null;
  readonly help: string;
  /** Declares arguments and options. */
  readonly declare: (command: Command) => Command;
  /** Resolves to the exit code. */
  action(context: CommandContext, options: Options, ...args: Args): Promise<number>;
}
