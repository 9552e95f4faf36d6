import { describe, expect, test } from "bun:test";
import { UsageError } from "../base/errors.ts";
import { createRunContext } from "../run/context.ts";
import { silent } from "../run/testing/silent.ts";
import type { CommandContext, CommandDefinition } from "./command.ts";
import { runCommandLine } from "./command-line.ts";
import { COMMANDS } from "./commands/list.ts";

const context: CommandContext = {
  ...createRunContext({ signal: new AbortController().signal, progress: () => silent }),
  print: () => {},
};

/** The real commands, with actions that record their arguments. */
function recording() {
  const calls: unknown[][] = [];
  const commands = COMMANDS.map((command) => ({
    ...command,
    action: (_: CommandContext, options: unknown, ...args: unknown[]) => {
      calls.push([command.word, ...args, options]);
      return Promise.resolve(7);
    },
  }));
  return { commands, calls };
}

const parse = async (line: string): Promise<unknown[]> => {
  const { commands, calls } = recording();
  expect(await runCommandLine(line.split(" "), commands, context)).toBe(7);
  return calls[0] ?? [];
};

describe("runCommandLine()", () => {
  test("a word that is no command is a scenario", async () => {
    expect(await parse("sensor-down --seed 5")).toEqual([
      null,
      "sensor-down",
      expect.objectContaining({ seed: 5, repeat: 1, engine: "native", json: false }),
    ]);
  });

  test("investigators may be repeated, and shards have two parts", async () => {
    const [, , options] = await parse("--all --investigator a --investigator b --shard 2/3");
    expect(options).toMatchObject({
      all: true,
      investigator: ["a", "b"],
      shard: { index: 2, of: 3 },
    });
  });

  test.each([
    ["up --lab 3 --json", "up", { lab: 3, json: true }],
    ["--lab 3 --json up", "up", { lab: 3, json: true }],
    ["ps --json", "ps", { json: true }],
    ["down", "down", { lab: 0 }],
    ["generate --seed 5 --count 3", "generate", { seed: 5, count: 3, into: "results/generated" }],
    ["record --all --seed 5", "record", { all: true, seed: 5, into: "results/recorded" }],
    [
      "examine a b --shard 1/4 --parallel 3",
      "examine",
      { parallel: 3, shard: { index: 1, of: 4 } },
    ],
    ["--all --live", null, { all: true, live: true }],
  ])("%s", async (line, name, options) => {
    const call = await parse(line);
    expect(call[0]).toBe(name);
    expect(call.at(-1)).toMatchObject(options);
  });

  test("logs takes a service and a number of lines", async () => {
    expect(await parse("logs eo-sensor --lines 5")).toEqual([
      "logs",
      "eo-sensor",
      expect.objectContaining({ lines: 5 }),
    ]);
  });

  test.each([
    ["--nonsense", "unknown option '--nonsense'"],
    ["sensor-down --repeat 0", "it must be a whole number of runs from 1 to 1000"],
    ["sensor-down --repeat many", "it must be a whole number of runs"],
    ["--all --shard 4/3", "it must be i/n"],
    ["--all --min-score 2", "it must be a share of the points from 0 to 1"],
    ["up --lab 10", "it must be a whole number of a lab's index from 0 to 9"],
    ["up now", "too many arguments"],
    ["up --engine qemu", "Allowed choices are native, docker"],
    ["up --keep-telemetry", "up takes no --keep-telemetry"],
    ["verify --repeat 3", "verify takes no --repeat"],
    ["report results --all", "report takes no --all"],
    ["logs nobody", "it must be one of radar-sensor"],
    ["logs", "missing required argument"],
  ])("%s is refused with the rule", async (line, message) => {
    const { commands, calls } = recording();
    const running = runCommandLine(line.split(" "), commands, context);
    await expect(running).rejects.toThrow(UsageError);
    await expect(running).rejects.toThrow(message);
    expect(calls).toEqual([]);
  });

  test("the engine that was chosen for this machine stands in for the default", async () => {
    const { commands, calls } = recording();
    const said: string[] = [];
    const progress = () => ({ ...silent, line: (text: string) => void said.push(text) });
    const engine = { engine: "docker", reason: "this is a test" } as const;
    const chosen = { ...context, progress, engine };
    await runCommandLine(["up"], commands, chosen);
    await runCommandLine(["up", "--engine", "native"], commands, chosen);
    await runCommandLine(["--engine=native", "up"], commands, chosen);
    await runCommandLine(["doctor"], commands, chosen);
    expect(calls.map((call) => (call.at(-1) as { engine?: string }).engine)).toEqual([
      "docker",
      "native",
      "native",
      undefined,
    ]);
    expect(said).toEqual(["engine: docker, because this is a test"]);
  });

  test("--help is no error", async () => {
    expect(await runCommandLine(["--help"], recording().commands, context)).toBe(0);
  });

  test("a new command is its definition alone", async () => {
    const greet: CommandDefinition<{ readonly loud: boolean }, [string]> = {
      word: "greet",
      help: "say hello",
      declare: (command) => command.argument("<name>").option("--loud", "in capitals", false),
      action: (_, { loud }, name) => Promise.resolve(loud ? name.length : 0),
    };
    const commands = [...recording().commands, greet];
    expect(await runCommandLine(["greet", "Ada", "--loud"], commands, context)).toBe(3);
    expect(await runCommandLine(["greet", "Ada"], commands, context)).toBe(0);
    await expect(runCommandLine(["greet"], commands, context)).rejects.toThrow("argument 'name'");
  });
});

test("generate needs a seed", async () => {
  const found = runCommandLine(["generate", "--count", "3"], COMMANDS, context);
  await expect(found).rejects.toThrow("--seed <n> must be given");
});
