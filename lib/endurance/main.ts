/**
 * `bun run soak --hours 2`, `--cycles 50`, `--kills 10`: measures the lab's endurance. Prints a
 * table of figures and limits (`--json`: a document), and exits with 1 if a limit is exceeded.
 */
import { parseArgs } from "node:util";
import { CancelledError, messageOf, UsageError, UserFacingError } from "../base/errors.ts";
import { createLab } from "../lab/create-lab.ts";
import { type Figure, figuresJson, figuresTable, passes } from "./figure.ts";
import { soak } from "./soak.ts";

const PROJECT_DIR = new URL("../..", import.meta.url).pathname.replace(/\/$/, "");

const USAGE = `bun run soak [--hours h] [--lab n] [--json]`;

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

async function measure(argv: readonly string[], signal: AbortSignal): Promise<[Figure[], boolean]> {
  const { values } = parseArgs({
    args: [...argv],
    options: {
      hours: { type: "string", default: "2" },
      lab: { type: "string", default: "0" },
      json: { type: "boolean", default: false },
    },
  });
  const index = numberOf("lab", values.lab, 9);
  await using lab = createLab({ engine: "native", index, lifetime: "with-caller" });
  const hours = numberOf("hours", values.hours, 1000);
  const figures = await soak({ lab, index, projectDir: PROJECT_DIR, hours, signal, say });
  return [figures, values.json];
}

const interrupted = new AbortController();
for (const signal of ["SIGINT", "SIGTERM"] as const) {
  process.on(signal, () => interrupted.abort(new CancelledError(`Stopped by ${signal}`)));
}
try {
  const [figures, json] = await measure(Bun.argv.slice(2), interrupted.signal);
  process.stdout.write(`${json ? figuresJson(figures) : figuresTable(figures)}\n`);
  process.exit(figures.every(passes) ? 0 : 1);
} catch (error) {
  process.stderr.write(`${messageOf(error)}\n`);
  process.exit(error instanceof UserFacingError ? error.exitCode : 3);
}
