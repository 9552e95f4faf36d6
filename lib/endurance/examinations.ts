/**
 * Examinations of the recorded incidents that go on while processes are killed: a program is started over and over with the
 * same results folder, and whatever it has kept once must be there as it was.
 */
import { readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { readManifests } from "../run/artefacts.ts";
import { runsFolder } from "../run/runs-folder.ts";

/** Disposing of it kills the program. */
export interface Examinations extends Disposable {
  /** The program that examines right now. */
  readonly pid: () => number | undefined;
  /** What was kept once and is not as it was, or cannot be read. */
  readonly problems: readonly string[];
  /** Programs that were started, and examinations that are complete. */
  readonly counts: { started: number; kept: number };
  /** Lets the program end by itself, without further kills; resolves to whether all was examined. */
  finish(): Promise<boolean>;
}

export interface ExaminationsOptions {
  readonly projectDir: string;
  readonly results: string;
  readonly say: (line: string) => void;
}

/** Exit code after Ctrl-C. */
const STOPPED = 130;

/** They ask no model, so that a round takes seconds. */
const INVESTIGATORS = ["random", "lookup", "latest-change", "loudest"] as const;

/** Starts examining at once. */
export function startExaminations(options: ExaminationsOptions): Examinations {
  const { projectDir, results, say } = options;
  const known = new Map<string, string>();
  const problems: string[] = [];
  const counts = { started: 0, kept: 0 };
  let child: ReturnType<typeof start> | undefined;
  let isEnding = false;
  let isDisposed = false;

  /** Reads all that is kept, and holds it against what was kept before. */
  const look = async (): Promise<void> => {
    try {
      const found = await readManifests(runsFolder(results), (line) => problems.push(line));
      for (const { path, manifest } of found) {
        if (manifest.outcome.kind === "valid" && !known.has(path)) known.set(path, textsOf(path));
      }
      const present = new Set(found.map(({ path }) => path));
      for (const [path, texts] of known) {
        if (!present.has(path)) problems.push(`${path} is gone`);
        else if (textsOf(path) !== texts) problems.push(`${path} is not as it was`);
      }
      counts.kept = known.size;
    } catch (error) {
      problems.push(String(error));
    }
  };

  const all = (async (): Promise<boolean> => {
    for (;;) {
      child = start(projectDir, results);
      counts.started++;
      const code = await child.exited;
      if (isDisposed) return false;
      await look();
      if (code === 0 && isEnding) return true;
      // All of it is examined: the next round begins anew, and what is kept is replaced.
      if (code === 0) {
        say(`examinations: ${counts.kept} kept, begun anew`);
        known.clear();
        rmSync(results, { recursive: true, force: true });
      } else if (child.signalCode === null && code !== STOPPED) {
        problems.push(`the examination ended with ${code}`);
        if (isEnding) return false;
      }
    }
  })();
  return {
    pid: () => child?.pid,
    problems,
    counts,
    finish: () => {
      isEnding = true;
      return all;
    },
    [Symbol.dispose]: () => {
      isDisposed = true;
      child?.kill("SIGKILL");
    },
  };
}

function start(cwd: string, results: string) {
  const chosen = INVESTIGATORS.flatMap((name) => ["--investigator", name]);
  const argv = ["runner.ts", "examine", "results/incidents", ...chosen, "--results", results];
  return Bun.spawn([process.execPath, ...argv], { cwd, stdio: ["ignore", "ignore", "ignore"] });
}

/** Everything that a run consists of. */
const textsOf = (path: string): string =>
  ["manifest.json", "rca.json", "evidence.jsonl", "run.log", "score.json"]
    .map((name) => readFileSync(join(path, name), "utf8"))
    .join("\n");
