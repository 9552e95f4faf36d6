/** Runs the tracker over a scene in files. */
import { UsageError } from "../../../lib/base/errors.ts";
import { measure, type TrackLine } from "./measures.ts";
import { Replay } from "./replay.ts";
import type { TruthLine } from "./scenes.ts";

/** Written to standard output in blocks, so that a large scene is not slowed down by its lines. */
const BLOCK_LINES = 500;

/** Writes the confirmed tracks to standard output; measures and refusals go to standard error. */
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

/** The object that a line holds. Python writes NaN and Infinity, which JSON does not know: they become null. */
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
