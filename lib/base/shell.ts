/** Runs other programs by argument list, never through a shell. */
import { processEnv } from "./env.ts";
import { EnvironmentError } from "./errors.ts";

/** The path of a program on the PATH as it is now; null when there is none. */
export const findProgram = (name: string): string | null =>
  Bun.which(name, { PATH: processEnv()["PATH"] ?? "" });

export interface RunOptions {
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string | undefined>>;
  readonly stdin?: string;
  /** The program is killed after this time. */
  readonly timeoutMs?: number;
  readonly signal?: AbortSignal;
}

export interface RunResult {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
  readonly timedOut: boolean;
}

/** Runs a program and returns its output and exit code; does not throw on a non-zero exit code. */
export async function run(argv: readonly string[], options: RunOptions = {}): Promise<RunResult> {
  const { cwd, env, stdin, timeoutMs, signal } = options;
  let child;
  try {
    child = Bun.spawn([...argv], {
      ...(cwd === undefined ? {} : { cwd }),
      // Named, because otherwise a PATH that was changed since the start is not searched.
      env: { ...(env ?? processEnv()) },
      ...(timeoutMs === undefined ? {} : { timeout: timeoutMs, killSignal: "SIGKILL" as const }),
      ...(signal === undefined ? {} : { signal }),
      stdin: stdin === undefined ? "ignore" : new TextEncoder().encode(stdin),
      stdout: "pipe",
      stderr: "pipe",
    });
  } catch (error) {
    throw new EnvironmentError(`Cannot start ${argv[0]}: ${(error as Error).message}`, {
      cause: error,
    });
  }
  const started = performance.now();
  const [stdout, stderr, code] = await Promise.all([
    new Response(child.stdout).text(),
    new Response(child.stderr).text(),
    child.exited,
  ]);
  const timedOut = timeoutMs !== undefined && performance.now() - started >= timeoutMs;
  return { code, stdout, stderr, timedOut };
}

/** Runs a program and returns its standard output, trimmed; throws on a non-zero exit code. */
export async function mustRun(argv: readonly string[], options: RunOptions = {}): Promise<string> {
  const { code, stdout, stderr } = await run(argv, options);
  if (code !== 0) {
    const said = (stderr || stdout).trim().split("\n").slice(-3).join(" | ");
    throw new EnvironmentError(`Cannot run \`${argv.join(" ")}\`: it exited with ${code}: ${said}`);
  }
  return stdout.trim();
}
