/** Options that several commands share, and the parsers of their values. */
import { type Command, InvalidArgumentError, Option } from "commander";
import type { Shard } from "../run/runs-folder.ts";
import type { RunContext } from "../run/context.ts";
import type { ExperimentRequest } from "../run/experiment.ts";
import { INVESTIGATOR_NAMES } from "../run/investigators.ts";
import type { LabRequest } from "../run/labs.ts";
import { ENGINES } from "../setup/choose-engine.ts";

/** Options of every command about a lab. */
export interface LabOptions {
  readonly engine: string;
  readonly lab: number;
  readonly json: boolean;
}

/** Options of a command that can use several labs of its own in parallel. */
export interface ParallelOptions extends Omit<LabOptions, "lab"> {
  /** Index of the first lab; absent: the first free ones. */
  readonly lab?: number;
  readonly parallel: number;
}

/** Options of a run or a campaign. */
export interface RunOptions extends ParallelOptions {
  readonly all: boolean;
  readonly live: boolean;
  readonly investigator: readonly string[];
  readonly calls?: number;
  readonly modelUrl?: string;
  readonly agentFiles: readonly string[];
  readonly agentModel?: string;
  readonly agentEnv: readonly string[];
  readonly repeat: number;
  readonly shard?: Shard;
  readonly seed?: number;
  readonly keepTelemetry: boolean;
  readonly again: boolean;
  readonly results: string;
  readonly minScore?: number;
}

/** A parser of whole numbers from `min` to `max`. */
export const whole =
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

/** A parser of an option that may be repeated. */
export const collect = (value: string, before: readonly string[]): string[] => [...before, value];

export const MODEL_URL_HELP =
  "endpoint in OpenAI's wire format for react and alone, instead of Ollama (key: MODEL_API_KEY)";

export function withJson(command: Command): Command {
  return command.option(
    "--json",
    "one JSON document on standard output; progress goes to standard error",
    false,
  );
}

export function withLab(command: Command): Command {
  const help = "which of the labs side by side; its ports are 1000 apart";
  return withEngine(command).addOption(labOption(help).default(0));
}

const withEngine = (command: Command): Command =>
  withJson(
    command.addOption(
      new Option("--engine <name>", "what runs the services; docker where native cannot")
        .choices(ENGINES)
        .default("native"),
    ),
  );

const labOption = (help: string): Option =>
  new Option("--lab <index>", help).argParser(whole(0, 9, "a lab's index"));

export function withParallel(command: Command): Command {
  return withEngine(command)
    .addOption(labOption("the lab to use, or the first of several (the first that are free)"))
    .addOption(
      new Option("--parallel <n>", "labs side by side").default(1).argParser(whole(1, 8, "labs")),
    );
}

export function withRun(command: Command): Command {
  return withInvestigators(withParallel(command))
    .option("--all", "every scenario and control", false)
    .option("--live", "examine the lab itself, for agents that act; nothing is recorded", false)
    .option("--repeat <n>", "runs of each scenario", whole(1, 1000, "runs"), 1)
    .addOption(shardOption())
    .option("--seed <n>", "seed of order and chance", whole(0, 4294967295, "a seed"))
    .option("--keep-telemetry", "keep what earlier runs left in the stores", false)
    .option("--again", "remove the campaign in the results folder and begin a new one", false)
    .option("--results <folder>", "where everything is kept", "results");
}

/** Options for the choice of investigators and their minimum score. */
export function withInvestigators(command: Command): Command {
  return command
    .option(
      "--investigator <name>",
      `who investigates; may be repeated: ${INVESTIGATOR_NAMES.join(", ")}`,
      collect,
      [],
    )
    .option("--calls <n>", "tool calls that react may make (10)", whole(1, 40, "calls"))
    .option("--model-url <url>", MODEL_URL_HELP)
    .option(
      "--agent-files <path>",
      "what a program under examination sees, read-only, beside the system's programs; may be repeated",
      collect,
      [],
    )
    .option("--agent-model <url>", "the one model server that such a program can reach")
    .option(
      "--agent-env <name>",
      "a variable that such a program gets, such as a key; may be repeated",
      collect,
      [],
    )
    .option(
      "--min-score <share>",
      "exit with 4 when the mean share of points of an investigator is lower",
      share,
    );
}

export const shardOption = (): Option =>
  new Option("--shard <i/n>", "do only every n-th job, from the i-th").argParser(shard);

/** The lab that these options choose. */
export const labOf = (
  context: RunContext,
  { engine, lab: index }: LabOptions,
): ReturnType<RunContext["createLab"]> =>
  context.createLab({ engine, index, lifetime: "until-down" });

/** The labs that these options choose. */
export const labsOf = ({ engine, lab, parallel }: ParallelOptions): LabRequest => ({
  engine,
  first: lab,
  count: parallel,
});

/** The experiment that these options choose. */
export function experimentOf(
  options: RunOptions,
): Omit<ExperimentRequest, "scenario" | "investigators"> {
  const { all, live, repeat, shard: part, seed, keepTelemetry, again, results } = options;
  const chosen = { all, live, repeat, shard: part, seed, keepTelemetry, again, results };
  return { labs: labsOf(options), ...chosen };
}
