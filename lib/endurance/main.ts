/**
 * `bun run soak --hours 2`, `--cycles 50`, `--kills 10`: measures the lab's endurance. Prints a
 * table of figures and limits (`--json`: a document), and exits with 1 if a limit is exceeded.
 */
import { parseArgs } from "node:util";
import { CancelledError, messageOf, UsageError, UserFacingError } from "../base/errors.ts";
import { createPrng, freshSeed } from "../base/prng.ts";
import { createLab } from "../lab/create-lab.ts";
import { upAndDown } from "./cycles.ts";
import { type Figure, figuresJson, figuresTable, passes } from "./figure.ts";
import { killAtRandom } from "./kills.ts";
import { soak } from "./soak.ts";

const PROJECT_DIR = new URL("../..", import.meta.url).pathname.replace(/\/$/, "");

const USAGE =
  "bun run soak [--hours <hours> | --cycles <count> | --kills <minutes> [--seed <n>]] [--lab <index>] [--json]";
const MAX_SEED = 2 ** 32 - 1;

const say = (line: string): void =>
  void process.stderr.write(
    `${new Date(performance.timeOrigin + performance.now()).toISOString()} ${line}\n`,
  );

function numberOf(name: string, text: string, max: number): number {
  const value = /^\d+(\.\d+)?$/.test(text) ? Number(text) : Number.NaN;
  if (value >= 0 && value <= max) return value;
  throw new UsageError(
    `Cannot use --${name}: it must be a number up to ${max}, but is "${text}"; ${USAGE}`,
  );
}

type Values = ReturnType<typeof parse>;

const parse = (argv: readonly string[]) =>
  parseArgs({
    args: [...argv],
    options: {
      hours: { type: "string" },
      cycles: { type: "string" },
      kills: { type: "string" },
      seed: { type: "string" },
      lab: { type: "string", default: "0" },
      json: { type: "boolean", default: false },
    },
  }).values;

async function measure(values: Values, signal: AbortSignal): Promise<Figure[]> {
  const { hours, cycles, kills } = values;
  if ([hours, cycles, kills].filter((one) => one !== undefined).length > 1) {
    throw new UsageError(`Cannot measure: only one of --hours, --cycles and --kills; ${USAGE}`);
  }
  const index = numberOf("lab", values.lab, 9);
  await using lab = createLab({ engine: "native", index, lifetime: "with-caller" });
  const common = { lab, index, projectDir: PROJECT_DIR, signal, say };
  if (cycles !== undefined) {
    return await upAndDown({ ...common, cycles: numberOf("cycles", cycles, 10_000) });
  }
  if (kills !== undefined) {
    const seed = values.seed === undefined ? freshSeed() : numberOf("seed", values.seed, MAX_SEED);
    say(`seed ${seed}`);
    const minutes = numberOf("kills", kills, 10_000);
    return await killAtRandom({ ...common, minutes, prng: createPrng(seed) });
  }
  return await soak({ ...common, hours: numberOf("hours", hours ?? "2", 1000) });
}

const interrupted = new AbortController();
for (const signal of ["SIGINT", "SIGTERM"] as const) {
  process.on(signal, () => interrupted.abort(new CancelledError(`Stopped by ${signal}`)));
}
try {
  const values = parse(Bun.argv.slice(2));
  const figures = await measure(values, interrupted.signal);
  process.stdout.write(`${values.json ? figuresJson(figures) : figuresTable(figures)}\n`);
  process.exit(figures.every(passes) ? 0 : 1);
} catch (error) {
  process.stderr.write(`${messageOf(error)}\n`);
  process.exit(error instanceof UserFacingError ? error.exitCode : 3);
}
