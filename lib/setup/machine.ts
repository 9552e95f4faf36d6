/** The set-up's view of a machine: an interface, so that tests can replace it. */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { processEnv, type Env } from "../base/env.ts";
import { EnvironmentError } from "../base/errors.ts";
import { run, type RunResult } from "../base/shell.ts";

export interface Machine {
  readonly uid: number;
  hasProgram(name: string): boolean;
  hasFile(path: string): boolean;
  /** A file's text; undefined when there is none. */
  read(path: string): string | undefined;
  /**
   * Whether the Cyclone DDS C library is present. Throws EnvironmentError if CYCLONEDDS_HOME is
   * wrong.
   */
  hasDdsLibrary(): boolean;
  /** Runs a program and waits for its exit. */
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
export function thisMachine(env: Env = processEnv()): Machine {
  return {
    uid: process.getuid?.() ?? -1,
    hasProgram: (name) => Bun.which(name, { PATH: env["PATH"] ?? "" }) !== null,
    hasFile: existsSync,
    read: (path) => (existsSync(path) ? readFileSync(path, "utf8") : undefined),
    hasDdsLibrary: () => {
      const home = env["CYCLONEDDS_HOME"] ?? "";
      return home === "" ? LIBRARY_FOLDERS.some(holdsLibrary) : isRightHome(home);
    },
    run: (argv, cwd) =>
      run(argv, {
        env: { ...env, DEBIAN_FRONTEND: "noninteractive" },
        ...(cwd === undefined ? {} : { cwd }),
      }),
  };
}

/** A set variable must be valid: it is the user's choice of a library. */
function isRightHome(home: string): boolean {
  const folders = ["lib", "lib64", "lib/x86_64-linux-gnu", "lib/aarch64-linux-gnu", "."];
  if (folders.some((folder) => holdsLibrary(`${home}/${folder}`))) return true;
  throw new EnvironmentError(
    `Cannot use CYCLONEDDS_HOME: it must be the folder above lib/libddsc.so, but is ${JSON.stringify(home)}`,
  );
}

function holdsLibrary(folder: string): boolean {
  return (
    existsSync(folder) &&
    readdirSync(folder).some((name) => /^libddsc\.(so(\.|$)|dylib$)/.test(name))
  );
}
