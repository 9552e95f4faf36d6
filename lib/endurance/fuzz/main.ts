/**
 * `bun run fuzz [--inputs n] [--seconds n] [--seed n] [--only part] [--json]`: tests every parser
 * with bad inputs, a million each by default (bundles: ten thousand); `--seconds` is a time limit
 * for each parser. Prints a table of figures and limits and every finding with its input; exits
 * with 1 if there is a finding.
 */
import { parseArgs } from "node:util";
import { CancelledError, messageOf, UsageError, UserFacingError } from "../../base/errors.ts";
import { freshSeed } from "../../base/prng.ts";
import { type Figure, figuresJson, figuresTable, passes } from "../figure.ts";
import { fuzz, type FuzzResult } from "./fuzz.ts";
import { createTargets } from "./targets.ts";

const MAX_INPUTS = 1e9;
/** Processor time that one input may take, with the collections of garbage that fall into it. */
const SLOWEST_MS = 1000;

const say = (line: string): void => void process.stderr.write(`${line}\n`);

function whole(name: string, text: string | undefined, max: number): number | undefined {
  if (text === undefined) return undefined;
  const value = /^\d+$/.test(text) ? Number(text) : Number.NaN;
  if (value >= 0 && value <= max) return value;
  throw new UsageError(
    `Cannot use --${name}: it must be a whole number up to ${max}, but is "${text}"`,
  );
}

function figuresOf(result: FuzzResult, wanted: number | undefined): Figure[] {
  const { target, inputs, taken, refused, slowestMs, slowestIndex, findings } = result;
  const limit = wanted ?? 1;
  return [
    {
      name: `${target}: inputs`,
      value: inputs,
      limit,
      atLeast: true,
      unit: "",
      note: `${taken} taken, ${refused} refused`,
    },
    { name: `${target}: findings`, value: findings.length, limit: 0, unit: "" },
    {
      name: `${target}: slowest, processor time`,
      value: slowestMs,
      limit: SLOWEST_MS,
      unit: "ms",
      note: `input ${slowestIndex}`,
    },
  ];
}

async function main(argv: readonly string[], signal: AbortSignal): Promise<boolean> {
  const { values } = parseArgs({
    args: [...argv],
    options: {
      inputs: { type: "string" },
      seconds: { type: "string" },
      seed: { type: "string" },
      only: { type: "string", default: "" },
      json: { type: "boolean", default: false },
    },
  });
  const seconds = whole("seconds", values.seconds, 1e6);
  const inputs = whole("inputs", values.inputs, MAX_INPUTS);
  const seed = whole("seed", values.seed, 2 ** 32 - 1) ?? freshSeed();
  say(`seed ${seed}`);
  using targets = await createTargets();
  const chosen = targets.all.filter(({ name }) =>
    name.toLowerCase().includes(values.only.toLowerCase()),
  );
  if (chosen.length === 0) {
    const names = targets.all.map(({ name }) => name).join(", ");
    throw new UsageError(
      `Cannot use --only: it must be a part of ${names}, but is "${values.only}"`,
    );
  }
  const figures: Figure[] = [];
  for (const target of chosen) {
    const startedMs = performance.now();
    const usual = seconds === undefined ? (target.usualInputs ?? 1e6) : undefined;
    const wanted = inputs ?? usual;
    const options = { inputs: wanted ?? MAX_INPUTS, seconds, seed, signal };
    const result = await fuzz(target, options);
    const tookSeconds = (performance.now() - startedMs) / 1000;
    say(`${target.name}: ${result.inputs} inputs in ${tookSeconds.toFixed(0)} s`);
    for (const { index, input, error } of result.findings) {
      say(`\n${target.name}, seed ${seed}, input ${index}:\n${input}\n${error}\n`);
    }
    figures.push(...figuresOf(result, wanted));
  }
  process.stdout.write(`${values.json ? figuresJson(figures) : figuresTable(figures)}\n`);
  return figures.every(passes);
}

const interrupted = new AbortController();
for (const signal of ["SIGINT", "SIGTERM"] as const) {
  process.on(signal, () => interrupted.abort(new CancelledError(`Stopped by ${signal}`)));
}
try {
  process.exit((await main(Bun.argv.slice(2), interrupted.signal)) ? 0 : 1);
} catch (error) {
  process.stderr.write(`${messageOf(error)}\n`);
  process.exit(error instanceof UserFacingError ? error.exitCode : 3);
}
