/**
 * `bun run bench <name> [--json]`: runs a benchmark and prints each figure with a reference from
 * the same run.
 *
 * Every benchmark is a program that prints JSON lines
 * `{"name","value","unit","reference","ratio"}`. This program forwards its lines at once; on a
 * terminal it prints a table, with `--json` one JSON document.
 */
import { messageOf, UsageError, UserFacingError } from "../base/errors.ts";
import type { Figure } from "../base/figure.ts";
import { table } from "./table.ts";

const ROOT = new URL("../..", import.meta.url).pathname;

/** The program of each benchmark. */
const PROGRAMS: Readonly<Record<string, string>> = {
  dds: "lib/service/bench/main.ts",
  store: "observability/server/bench/main.ts",
  model: "lib/investigate/assisted/bench/main.ts",
  telemetry: "lib/telemetry/bench/main.ts",
  tracking: "services/track-fusion/bench/main.ts",
};

/** Returns the command line of a benchmark. */
function commandOf(name: string, args: readonly string[]): string[] {
  const program = Object.hasOwn(PROGRAMS, name) ? PROGRAMS[name] : undefined;
  if (program === undefined) {
    throw new UsageError(
      `Cannot run benchmark ${JSON.stringify(name)}: it must be one of ${Object.keys(PROGRAMS).join(", ")}`,
    );
  }
  return [process.execPath, `${ROOT}/${program}`, ...args];
}

/**
 * Runs a benchmark on the caller's own input and forwards its output, which has no figures. Returns
 * its exit code.
 */
function passOn(name: string, args: readonly string[]): Promise<number> {
  return Bun.spawn(commandOf(name, args), { stdout: "inherit", stderr: "inherit" }).exited;
}

/** Runs a benchmark, calls `onLine` with each of its lines immediately, and returns its figures. */
async function measure(
  name: string,
  args: readonly string[],
  onLine: (line: string) => void,
): Promise<Figure[]> {
  const child = Bun.spawn(commandOf(name, args), { stdout: "pipe", stderr: "inherit" });
  const figures: Figure[] = [];
  let rest = "";
  for await (const text of child.stdout.pipeThrough(new TextDecoderStream())) {
    const lines = `${rest}${text}`.split("\n");
    rest = lines.pop() ?? "";
    for (const line of lines.filter((candidate) => candidate.startsWith("{"))) {
      figures.push(JSON.parse(line) as Figure);
      onLine(line);
    }
  }
  const code = await child.exited;
  // Exit codes of errors whose message the program has printed.
  if (code === 1 || code === 2) process.exit(code);
  if (code !== 0) throw new Error(`benchmark ${name} failed`);
  return figures;
}

function show(figures: readonly Figure[]): string {
  const rows = figures.map(({ name, value, unit, reference, ratio }) => [
    name,
    short(value),
    unit,
    reference === null ? "" : short(reference),
    ratio === null ? "" : ratio.toFixed(2),
  ]);
  return table(["name", "value", "unit", "reference", "ratio"], rows);
}

const short = (value: number): string => String(Number(value.toPrecision(4)));

try {
  const [name = "", ...rest] = Bun.argv.slice(2);
  if (rest.some((arg) => /^--scene(=|$)/.test(arg))) process.exit(await passOn(name, rest));
  const isJson = rest.includes("--json");
  const isTable = !isJson && process.stdout.isTTY;
  const args = rest.filter((arg) => arg !== "--json");
  const print = (text: string): void => void process.stdout.write(`${text}\n`);
  const figures = await measure(name, args, isJson || isTable ? () => {} : print);
  if (isJson) print(JSON.stringify(figures, null, 2));
  else if (isTable) print(show(figures));
} catch (error) {
  process.stderr.write(`${messageOf(error)}\n`);
  process.exit(error instanceof UserFacingError ? error.exitCode : 3);
}
