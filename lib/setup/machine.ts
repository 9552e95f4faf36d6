/** What set-up asks of a machine, so that tests can give it another one. */
import { existsSync, readdirSync } from "node:fs";
import { processEnv } from "../base/env.ts";
import { run, type RunResult } from "../base/shell.ts";

export interface Machine {
  readonly uid: number;
  hasProgram(name: string): boolean;
  hasFile(path: string): boolean;
  hasDdsLibrary(): boolean;
  /** Runs a program to its end. */
  run(argv: readonly string[], cwd?: string): Promise<RunResult>;
}

const LIBRARY_FOLDERS = [
  "/usr/lib",
  "/usr/local/lib",
  "/usr/lib64",
  "/usr/lib/x86_64-linux-gnu",
  "/usr/lib/aarch64-linux-gnu",
];

/** The machine that this program runs on. */
export function thisMachine(): Machine {
  const env = processEnv();
  const home = env["CYCLONEDDS_HOME"] ?? "";
  return {
    uid: process.getuid?.() ?? -1,
    hasProgram: (name) => Bun.which(name) !== null,
    hasFile: existsSync,
    // Set, it is required to be right: loading says what is wrong with it.
    hasDdsLibrary: () => home !== "" || LIBRARY_FOLDERS.some(holdsLibrary),
    run: (argv, cwd) =>
      run(argv, {
        env: { ...env, DEBIAN_FRONTEND: "noninteractive" },
        ...(cwd === undefined ? {} : { cwd }),
      }),
  };
}

function holdsLibrary(folder: string): boolean {
  return existsSync(folder) && readdirSync(folder).some((name) => /^libddsc\.so(\.|$)/.test(name));
}
