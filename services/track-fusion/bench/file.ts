/** Runs the tracker on a scene from files. */
import { UsageError } from "../../../lib/base/errors.ts";
import { measure, type TrackLine } from "./measures.ts";
import { Replay } from "./replay.ts";
import type { TruthLine } from "./scenes.ts";

/** Lines per write to standard output, so that output does not slow down a large scene. */
const BLOCK_LINES = 500;

/** Writes the confirmed tracks to standard output, and measures and refusals to standard error. */
export async function replayFile(scenePath: string, truthPath: string | undefined): Promise<void> {
  const tracks: TrackLine[] = [];
  const block: string[] = [];
  const flush = (): void => void process.stdout.write(block.splice(0).join(""));
  const replay = new Replay((line) => {
    if (truthPath !== undefined) tracks.push(line);
    block.push(`${JSON.stringify(line)}\n`);
    if (block.length >= BLOCK_LINES) flush();
  });
  for (const text of await linesOf(scenePath)) {
    const line = parse(text);
    if (line === undefined) replay.refuse("not_json");
    else replay.take(line);
  }
  replay.finish();
  flush();
  for (const [reason, count] of replay.refused) {
    process.stderr.write(`refused: ${count} detections that are ${reason}\n`);
  }
  if (truthPath === undefined) return;
  const truth = (await linesOf(truthPath)).map((text) => {
    const line = parse(text);
    if (line === undefined) throw new UsageError(`Cannot read ${truthPath}: ${text} is not JSON`);
    return line as unknown as TruthLine;
  });
  process.stderr.write(`${JSON.stringify(measure(truth, tracks))}\n`);
}

async function linesOf(path: string): Promise<string[]> {
  const file = Bun.file(path);
  if (!(await file.exists())) throw new UsageError(`Cannot read ${path}: there is no such file`);
  return (await file.text()).split("\n").filter((line) => line.trim() !== "");
}

/**
 * Parses the object of a line. Python writes NaN and Infinity, which are not JSON: they become
 * null.
 */
function parse(text: string): Readonly<Record<string, unknown>> | undefined {
  try {
    const value: unknown = JSON.parse(text.replaceAll(/:\s*-?(NaN|Infinity)\b/g, ":null"));
    return typeof value === "object" && value !== null
      ? (value as Readonly<Record<string, unknown>>)
      : undefined;
  } catch {
    return undefined;
  }
}
