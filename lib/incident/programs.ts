/**
 * The programs of a restored incident: started by this program, and killed when it ends for any
 * reason.
 */
import { messageOf, EnvironmentError } from "../base/errors.ts";
import { processEnv } from "../base/env.ts";
import { run } from "../base/shell.ts";

/**
 * Runs the arguments as a program until it ends, or kills it when standard input closes. A
 * background command of the shell has no standard input, so it gets a copy.
 */
const KEEPER =
  'exec 3<&0; "$@" 3<&- & p=$!; (cat <&3 >/dev/null; kill -9 $p 2>/dev/null) >/dev/null 2>&1 & exec 3<&-; wait $p';
/** A second on an idle machine, much longer on a busy one. */
const READY_DEADLINE_MS = 60_000;
const KEPT_CHARACTERS = 20_000;
/**
 * Prometheus prints its address and its readiness in two goroutines, so either may come first. The
 * group is the port.
 */
export const PROMETHEUS_READY =
  /^(?=[\s\S]*Server is ready to receive)[\s\S]*Listening on"[^\n]*address=127\.0\.0\.1:(\d+)/;

export interface Served extends AsyncDisposable {
  /** The match of `ready` in the output. */
  readonly match: RegExpExecArray;
}

export interface ProgramSpec {
  readonly name: string;
  readonly argv: readonly string[];
  readonly cwd: string;
  /** Matches the program's message that it is listening. */
  readonly ready: RegExp;
}

/**
 * Starts a program and waits until it is ready; otherwise throws EnvironmentError with its last
 * line of output.
 */
export async function startServed({ name, argv, cwd, ready }: ProgramSpec): Promise<Served> {
  const { PATH = "", HOME = "/", TMPDIR = "/tmp" } = processEnv();
  const child = Bun.spawn(["sh", "-c", KEEPER, "sh", ...argv], {
    cwd,
    env: { PATH, HOME, TMPDIR, GOMAXPROCS: "2" },
    stdin: "pipe",
    stdout: "pipe",
    stderr: "pipe",
  });
  const end = async (): Promise<void> => {
    await child.stdin.end();
    await child.exited;
  };
  const found = Promise.withResolvers<RegExpExecArray>();
  let said = "";
  const follow = async (stream: ReadableStream<Uint8Array>): Promise<void> => {
    const decoder = new TextDecoder();
    for await (const chunk of stream) {
      said = (said + decoder.decode(chunk, { stream: true })).slice(-KEPT_CHARACTERS);
      const match = ready.exec(said);
      if (match !== null) found.resolve(match);
    }
  };
  const streams = Promise.allSettled([follow(child.stdout), follow(child.stderr)]);
  const timer = setTimeout(
    () =>
      found.reject(
        new Error(`it is not ready after ${READY_DEADLINE_MS / 1000} s: ${lastLine(said)}`),
      ),
    READY_DEADLINE_MS,
  );
  const refuseWhenEnded = async (): Promise<void> => {
    const code = await child.exited;
    await streams;
    found.reject(new Error(`it exited with ${code}: ${lastLine(said)}`));
  };
  void refuseWhenEnded();
  try {
    return { match: await found.promise, [Symbol.asyncDispose]: end };
  } catch (error) {
    await end();
    throw new EnvironmentError(`Cannot serve the incident: ${name}: ${messageOf(error)}`, {
      cause: error,
    });
  } finally {
    clearTimeout(timer);
  }
}

const lastLine = (text: string): string => text.trimEnd().split("\n").at(-1) ?? "";

/** Why this machine cannot serve recorded incidents; undefined when it can. */
export function whyNotRestored(path = processEnv()["PATH"] ?? ""): string | undefined {
  const missing = ["sh", "prometheus"].find((name) => Bun.which(name, { PATH: path }) === null);
  if (missing === undefined) return undefined;
  return `to examine a recorded incident, ${missing} must be on PATH, but is not`;
}

/**
 * Throws EnvironmentError unless a Prometheus of version 2 or 3 is on PATH; returns its version.
 */
export async function mustHavePrometheus(): Promise<string> {
  if (Bun.which("prometheus", { PATH: processEnv()["PATH"] ?? "" }) === null) {
    throw new EnvironmentError(
      "Cannot examine incidents: prometheus must be on PATH; install it (Debian: apt-get install prometheus) or put a release from https://prometheus.io/download on PATH",
    );
  }
  const { stdout, stderr } = await run(["prometheus", "--version"], { timeoutMs: 10_000 });
  const said = stdout || stderr;
  const version = /^prometheus, version ((\d+)\.\d+\S*)/m.exec(said);
  if (version === null || !["2", "3"].includes(version[2] ?? "")) {
    const found = version?.[1] ?? JSON.stringify(said.trim().split("\n")[0] ?? "");
    throw new EnvironmentError(
      `Cannot examine incidents: the prometheus on PATH must be of version 2 or 3, but is ${found}`,
    );
  }
  return version[1] ?? "";
}
