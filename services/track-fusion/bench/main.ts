/**
 * `bun run bench tracking`: how good the tracker is on committed scenes, and what it costs. Three
 * ways to run it:
 *
 * - without options: every scene with its measures, then the cost from 3 to 1,000 targets. Where
 *   STONESOUP_PYTHON, or the `python3` on the PATH, has the package `stonesoup` 1.9, each figure
 *   stands beside Stone Soup's. `--only <scene>` runs one scene, `--only cost` the cost alone;
 *   `--plot <file>` writes the cost as SVG. `--only system` measures the real services with 3, 100
 *   and 1,000 targets.
 * - `--scene detections.jsonl`: any scene. Confirmed tracks go to standard output as they are
 *   updated.
 * - `--truth truth.jsonl` with it: the measures of that scene on standard error.
 */
import { parseArgs } from "node:util";
import { messageOf, UsageError, UserFacingError } from "../../../lib/base/errors.ts";
import { processEnv } from "../../../lib/base/env.ts";
import { costFigures } from "./cost.ts";
import { replayFile } from "./file.ts";
import type { Figure } from "../../../lib/base/figure.ts";
import { sceneFigures } from "./reference.ts";
import { SCENES } from "./scenes.ts";
import { systemFigures } from "./system.ts";

const print = (figure: Figure): void => void process.stdout.write(`${JSON.stringify(figure)}\n`);

/** A Python with Stone Soup: from STONESOUP_PYTHON, or from the PATH. */
function findStoneSoup(): string | undefined {
  const named = processEnv()["STONESOUP_PYTHON"];
  if (named !== undefined && named !== "") return named;
  const onPath = Bun.which("python3");
  if (onPath !== null) {
    const { exitCode } = Bun.spawnSync([onPath, "-c", "import stonesoup"], { stderr: "ignore" });
    if (exitCode === 0) return onPath;
  }
  process.stderr.write("Without Stone Soup: STONESOUP_PYTHON may name a Python that has it\n");
  return undefined;
}

function figuresOf(
  part: string,
  plot: string | undefined,
  python: string | undefined,
): Figure[] | Promise<Figure[]> {
  if (part === "cost") return costFigures(plot);
  return part === "system" ? systemFigures() : sceneFigures(part, python);
}

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      scene: { type: "string" },
      truth: { type: "string" },
      only: { type: "string" },
      plot: { type: "string" },
    },
  });
  if (values.scene !== undefined) return replayFile(values.scene, values.truth);
  const parts = [...SCENES, "cost", "system"];
  if (values.only !== undefined && !parts.includes(values.only)) {
    throw new UsageError(`Cannot run ${values.only}: --only must be one of ${parts.join(", ")}`);
  }
  const python = findStoneSoup();
  for (const part of parts) {
    // The whole system needs its services' ports, so it runs only by name.
    if (values.only === undefined ? part === "system" : values.only !== part) continue;
    const figures = await figuresOf(part, values.plot, python);
    figures.forEach(print);
  }
}

try {
  await main();
} catch (error) {
  process.stderr.write(`${messageOf(error)}\n`);
  process.exit(error instanceof UserFacingError ? error.exitCode : 3);
}
