/**
 * `bun run bench <name> [--json]`: measures, and prints each figure against a reference of the same run.
 *
 * Every benchmark is a program that prints JSON lines `{"name","value","unit","reference","ratio"}`; this one
 * runs it and shows the lines as a table, or as one JSON document.
 */
import { messageOf, UsageError, UserFacingError } from "../base/errors.ts";

const ROOT = new URL("../..", import.meta.url).pathname;

/** The benchmarks, and the program of each. */
const PROGRAMS: Readonly<Record<string, string>> = {
  dds: "lib/bench/dds/main.ts",
  store: "observability/embedded/bench.ts",
  telemetry: "lib/bench/telemetry/main.ts",
};

interface Figure {
  readonly name: string;
  readonly value: number;
  readonly unit: string;
  readonly reference: number | null;
  readonly ratio: number | null;
}

async function measure(name: string, args: readonly string[]): Promise<Figure[]> {
  const program = Object.hasOwn(PROGRAMS, name) ? PROGRAMS[name] : undefined;
  if (program === undefined) {
    throw new UsageError(
      `Cannot run benchmark ${JSON.stringify(name)}: it must be one of ${Object.keys(PROGRAMS).join(", ")}`,
    );
  }
  const child = Bun.spawn([process.execPath, `${ROOT}/${program}`, ...args], {
    stdout: "pipe",
    stderr: "inherit",
  });
  const lines = (await new Response(child.stdout).text()).split("\n");
  if ((await child.exited) !== 0) throw new Error(`benchmark ${name} failed`);
  return lines.filter((line) => line.startsWith("{")).map((line) => JSON.parse(line) as Figure);
}

function show(figures: readonly Figure[]): string {
  const rows = figures.map(({ name, value, unit, reference, ratio }) => [
    name,
    String(Number(value.toPrecision(4))),
    unit,
    reference === null ? "" : String(Number(reference.toPrecision(4))),
    ratio === null ? "" : ratio.toFixed(2),
  ]);
  const all = [["name", "value", "unit", "reference", "ratio"], ...rows];
  const widths = all[0]?.map((_, i) => Math.max(...all.map((row) => row[i]?.length ?? 0))) ?? [];
  return all
    .map((row) =>
      row
        .map((cell, i) => cell.padEnd(widths[i] ?? 0))
        .join("  ")
        .trimEnd(),
    )
    .join("\n");
}

try {
  const [name = "", ...rest] = Bun.argv.slice(2);
  const figures = await measure(
    name,
    rest.filter((arg) => arg !== "--json"),
  );
  const text = rest.includes("--json") ? JSON.stringify(figures, null, 2) : show(figures);
  process.stdout.write(`${text}\n`);
} catch (error) {
  process.stderr.write(`${messageOf(error)}\n`);
  process.exit(error instanceof UserFacingError ? error.exitCode : 3);
}
