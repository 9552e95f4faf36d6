/**
 * Examines the recorded incidents while processes are killed: restarts a program with the same
 * results folder, and checks that every kept result stays unchanged.
 */
import { readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { readManifests } from "../run/artefacts.ts";
import { runsFolder } from "../run/runs-folder.ts";

/** Disposing kills the program. */
export interface Examinations extends Disposable {
  /** The currently running program. */
  readonly pid: () => number | undefined;
  /** Kept results that changed or cannot be read. */
  readonly problems: readonly string[];
  /** Started programs and complete examinations. */
  readonly counts: { started: number; kept: number };
  /** Lets the program end without further kills; resolves to whether everything was examined. */
  finish(): Promise<boolean>;
}

export interface ExaminationsOptions {
  readonly projectDir: string;
  readonly results: string;
  readonly say: (line: string) => void;
}

/** Exit code after Ctrl-C. */
const STOPPED = 130;

/** They use no model, so a round takes seconds. */
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

  /** Reads all results and compares them with the earlier ones. */
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
      // Everything is examined: the next round starts over and replaces the results.
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

/** The texts of all files of a run. */
const textsOf = (path: string): string =>
  ["manifest.json", "rca.json", "evidence.jsonl", "run.log", "score.json"]
    .map((name) => readFileSync(join(path, name), "utf8"))
    .join("\n");
