/** The command line: what can be written, checked before anything starts. */
import { Command, CommanderError, InvalidArgumentError, Option } from "commander";
import { UsageError } from "../base/errors.ts";
import { isServiceName, SERVICES } from "../contract/topology.ts";

/** Options that every command about a lab takes. */
export interface LabOptions {
  readonly engine: string;
  readonly lab: number;
  readonly json: boolean;
}

/** Options of a run or a campaign. */
export interface RunOptions extends LabOptions {
  readonly all: boolean;
  readonly investigator: readonly string[];
  readonly repeat: number;
  readonly parallel: number;
  readonly shard?: Shard;
  readonly seed?: number;
  readonly keepTelemetry: boolean;
  readonly again: boolean;
  readonly results: string;
  readonly minScore?: number;
}

/** Options of a verification: every scenario once, without an investigator. */
export interface VerifyOptions extends LabOptions {
  readonly parallel: number;
}

/** Options of a run that somebody investigates over the Model Context Protocol. */
export interface McpRunOptions extends RunOptions {
  /** Port of the tools on loopback; 0 for a free one. */
  readonly port: number;
  /** Time for the investigation. */
  readonly minutes: number;
}

/** The part of a campaign's jobs that this machine runs: every `of`-th one, from `index` (1 to `of`). */
export interface Shard {
  readonly index: number;
  readonly of: number;
}

/** What each command does; the command line only chooses. Each resolves to the exit code. */
export interface Handlers {
  up(options: LabOptions): Promise<number>;
  down(options: LabOptions): Promise<number>;
  ps(options: LabOptions): Promise<number>;
  logs(service: string, options: LabOptions & { readonly lines: number }): Promise<number>;
  run(scenario: string | undefined, options: RunOptions): Promise<number>;
  mcp(scenario: string, options: McpRunOptions): Promise<number>;
  verify(scenarios: readonly string[], options: VerifyOptions): Promise<number>;
  inject(scenario: string, options: LabOptions): Promise<number>;
  cleanup(options: LabOptions): Promise<number>;
  report(
    folders: readonly string[],
    options: {
      readonly results: string;
      readonly readme: boolean;
      readonly rescore: boolean;
    },
  ): Promise<number>;
  doctor(options: { readonly json: boolean }): Promise<number>;
}

/** Parses `argv` (without the program) and calls the handler; throws UsageError when a rule is broken. */
export async function runCommandLine(argv: readonly string[], handlers: Handlers): Promise<number> {
  let exitCode = 0;
  const program = createProgram(handlers, (code) => {
    exitCode = code;
  });
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

const whole =
  (min: number, max: number, unit: string) =>
  (text: string): number => {
    const value = /^\d+$/.test(text) ? Number(text) : Number.NaN;
    if (value >= min && value <= max) return value;
    throw new InvalidArgumentError(`it must be a whole number of ${unit} from ${min} to ${max}.`);
  };

function shard(text: string): Shard {
  const match = /^(\d+)\/(\d+)$/.exec(text);
  const [index, of] = [Number(match?.[1]), Number(match?.[2])];
  if (index >= 1 && index <= of && of <= 1000) return { index, of };
  throw new InvalidArgumentError("it must be i/n with 1 <= i <= n <= 1000.");
}

function share(text: string): number {
  const value = /^(0(\.\d+)?|1(\.0+)?)$/.test(text) ? Number(text) : Number.NaN;
  if (Number.isFinite(value)) return value;
  throw new InvalidArgumentError("it must be a share of the points from 0 to 1.");
}

function service(text: string): string {
  if (isServiceName(text)) return text;
  throw new InvalidArgumentError(`it must be one of ${SERVICES.join(", ")}.`);
}

const collect = (value: string, before: readonly string[]): string[] => [...before, value];

function withLab(command: Command): Command {
  return command
    .addOption(new Option("--engine <name>", "what runs the services").default("native"))
    .addOption(
      new Option("--lab <index>", "which of the labs side by side; its ports are 1000 apart")
        .default(0)
        .argParser(whole(0, 9, "a lab's index")),
    )
    .option(
      "--json",
      "one JSON document on standard output; progress goes to standard error",
      false,
    );
}

const parallelOption = (): Option =>
  new Option("--parallel <n>", "labs side by side").default(1).argParser(whole(1, 8, "labs"));

function withRun(command: Command): Command {
  return withLab(command)
    .option("--all", "every scenario and control", false)
    .option("--investigator <name>", "who investigates; may be repeated", collect, [])
    .option("--repeat <n>", "runs of each scenario", whole(1, 1000, "runs"), 1)
    .addOption(parallelOption())
    .option("--shard <i/n>", "run only every n-th job, from the i-th", shard)
    .option("--seed <n>", "seed of order and chance", whole(0, 4294967295, "a seed"))
    .option("--keep-telemetry", "keep what earlier runs left in the stores", false)
    .option("--again", "remove the campaign in the results folder and begin a new one", false)
    .option("--results <folder>", "where everything is kept", "results")
    .option(
      "--min-score <share>",
      "exit with 4 when anyone's mean share of points is lower",
      share,
    );
}

function createProgram(handlers: Handlers, done: (exitCode: number) => void): Command {
  const program = new Command("runner.ts")
    .description("A lab that measures how well an AI SRE agent diagnoses a distributed system")
    .exitOverride()
    .configureOutput({ writeErr: () => {} })
    .argument("[scenario]", "run one scenario: fault, alert, investigation, score, recovery")
    .addHelpText("after", EXIT_CODES)
    .allowExcessArguments(false);
  withRun(program).action(async (scenario: string | undefined, options: RunOptions) =>
    done(await handlers.run(scenario, options)),
  );
  const add = (text: string, description: string): Command =>
    program.command(text).description(description).exitOverride().allowExcessArguments(false);

  withLab(add("up", "start the lab; returns when three tracks are in the picture")).action(
    async (_: unknown, command: Command) => done(await handlers.up(merged(command))),
  );
  withLab(add("down", "stop the lab and leave nothing behind")).action(
    async (_: unknown, command: Command) => done(await handlers.down(merged(command))),
  );
  withLab(add("ps", "what runs, and in which state")).action(async (_: unknown, command: Command) =>
    done(await handlers.ps(merged(command))),
  );
  withLab(add("logs", "what a service wrote").argument("<service>", "which service", service))
    .option("--lines <n>", "how many lines", whole(1, 100_000, "lines"), 100)
    .action(async (name: string, _: unknown, command: Command) =>
      done(await handlers.logs(name, merged(command))),
    );
  withRun(
    add("mcp", "run one scenario for whoever connects over the Model Context Protocol").argument(
      "<scenario>",
    ),
  )
    .option(
      "--port <n>",
      "port of the tools on loopback; 0 for a free one",
      whole(0, 65_535, "a port"),
      7300,
    )
    .option("--minutes <n>", "time for the investigation", whole(1, 1440, "minutes"), 30)
    .action(async (name: string, _: unknown, command: Command) =>
      done(await handlers.mcp(name, merged(command))),
    );
  withLab(add("verify", "prove every fault, signature, alert and recovery; no investigator"))
    .addOption(parallelOption())
    .argument("[scenarios...]", "all, if none is named")
    .action(async (names: string[], _: unknown, command: Command) =>
      done(await handlers.verify(names, merged(command))),
    );
  withLab(
    add("inject", "inject a scenario's fault into the running lab").argument("<scenario>"),
  ).action(async (name: string, _: unknown, command: Command) =>
    done(await handlers.inject(name, merged(command))),
  );
  withLab(add("cleanup", "make every service of the running lab canonical again")).action(
    async (_: unknown, command: Command) => done(await handlers.cleanup(merged(command))),
  );
  add("report", "merge result folders into one summary and report")
    .argument("<folders...>", "folders with campaigns, such as those of several shards")
    .option("--results <folder>", "where the merged summary goes", "results")
    .option("--readme", "write the table into the README too", false)
    .option("--rescore", "score every run anew by the rubric of today, from what was kept", false)
    .action(async (folders: string[], _: unknown, command: Command) =>
      done(await handlers.report(folders, merged(command))),
    );
  add("doctor", "whether a model on Ollama is there and fit to investigate")
    .option("--json", "one JSON document on standard output", false)
    .action(async (_: unknown, command: Command) => done(await handlers.doctor(merged(command))));
  return program;
}

/**
 * A command's options. One that both the program and the command declare lands with whichever parsed it
 * first, so a value that was really written wins over a default.
 */
// eslint-disable-next-line typescript/no-unnecessary-type-parameters -- the caller names what the parser has checked
function merged<T>(command: Command): T {
  const options: Record<string, unknown> = { ...command.opts() };
  const parent = command.parent;
  for (const [name, value] of Object.entries(parent?.opts() ?? {})) {
    if (parent?.getOptionValueSource(name) !== "cli") continue;
    if (!(name in options)) {
      const flag = parent.options.find((option) => option.attributeName() === name)?.long ?? name;
      throw new UsageError(
        `Cannot understand the command: ${command.name()} takes no ${flag}; --help lists what exists`,
      );
    }
    options[name] = value;
  }
  return options as T;
}

const EXIT_CODES = `
Exit codes:
  0  every run was valid (a wrong diagnosis is a result, not a failure)
  1  the command, a file or a variable breaks a rule
  2  the machine or the lab could not do it; some run was invalid
  3  a defect of ours
  4  the mean share of points is below --min-score
130  stopped by Ctrl-C or SIGTERM`;
