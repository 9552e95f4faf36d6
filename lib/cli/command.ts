/** The definition of a command: its word, help, arguments, options and action. */
import type { Command } from "commander";
import type { RunContext } from "../run/context.ts";
import type { EngineChoice } from "../setup/choose-engine.ts";

/** The context of every command. */
export interface CommandContext extends RunContext {
  /** Writes a line to standard output. */
  readonly print: (text: string) => void;
  /** Chooses the engine when `--engine` is absent; without it, the native engine. */
  readonly engine?: EngineChoice | undefined;
}

/**
 * A command for the parser and the help. `Options` and `Args` declare what `declare` makes the
 * parser accept, because commander cannot infer them. `action` is a method, so that a list can hold
 * definitions with different options.
 */
export interface CommandDefinition<Options = unknown, Args extends readonly unknown[] = unknown[]> {
  /** The command's word; null for the command without a word. */
  readonly word: string | null;
  readonly help: string;
  /** Declares arguments and options. */
  readonly declare: (command: Command) => Command;
  /** Resolves to the exit code. */
  action(context: CommandContext, options: Options, ...args: Args): Promise<number>;
}
