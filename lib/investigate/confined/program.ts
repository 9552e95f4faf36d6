/**
 * Runs an examined program in a room if the machine supports one; otherwise as an ordinary process
 * in an empty folder, which the details and every table show.
 */
import { mkdtempSync, rmSync, statSync } from "node:fs";
import { constants, tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { systemClock } from "../../base/clock.ts";
import { processEnv } from "../../base/env.ts";
import { asError, EnvironmentError } from "../../base/errors.ts";
import { type Door, openRoom, type Room, whyNoRoom } from "../../sandbox/room/room.ts";
import type { AgentSettings } from "./settings.ts";
import { wayTo } from "./model-server.ts";

export { whyNoRoom } from "../../sandbox/room/room.ts";

const MAX_OUTPUT_BYTES = 1024 * 1024;
/** Milliseconds to wait for the output of an unconfined program after its end. */
const LAST_WORDS_MS = 1000;
const SYSTEM_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
/** Variables of this process that contain nothing about it. */
const KEPT = ["LANG", "LC_ALL", "TZ"];

export interface ProgramOptions {
  readonly argv: readonly string[];
  /** Variables of the program in addition to those of its settings. */
  readonly env: Readonly<Record<string, string>>;
  readonly stdin: string;
  readonly settings: AgentSettings;
  /** Doors in addition to the model server's. */
  readonly doors: readonly Door[];
  /** The model server, if it differs from the settings'. */
  readonly model?: URL | undefined;
  readonly signal: AbortSignal;
  readonly note: (line: string) => void;
  /** Why there is no room, if the caller knows; undefined: detected. */
  readonly noRoom?: string | undefined;
}

export interface ProgramEnd {
  readonly code: number;
  /** The signal that ended it. */
  readonly killedBy: string | undefined;
  readonly stdout: string;
  readonly stderr: string;
  readonly confinement: Confinement;
}

/** For the details of a run; the name `unconfined` marks a row of a table. */
export type Confinement =
  | { readonly unconfined: false; readonly left_processes: number }
  | { readonly unconfined: true; readonly unconfined_because: string };

/**
 * Runs the program to its end or until the signal aborts. Throws EnvironmentError if it cannot be
 * started.
 */
export async function runProgram(options: ProgramOptions): Promise<ProgramEnd> {
  const { settings, note, noRoom = await whyNoRoom() } = options;
  const folders = settings.files.map((path) =>
    statSync(path).isDirectory() ? path : dirname(path),
  );
  const own = [...new Set(folders.flatMap((folder) => [join(folder, "bin"), folder]))];
  const path = noRoom === undefined ? SYSTEM_PATH : (processEnv()["PATH"] ?? SYSTEM_PATH);
  const env = {
    ...Object.fromEntries(KEPT.flatMap((name) => pair(name, processEnv()[name]))),
    PATH: [...own, path].join(":"),
    USER: "agent",
    ...settings.variables,
    ...options.env,
  };
  if (noRoom === undefined) return confined({ ...options, env });
  note(`not confined: ${noRoom}`);
  return unconfined({ ...options, env }, noRoom);
}

const pair = (name: string, value: string | undefined): [string, string][] =>
  value === undefined ? [] : [[name, value]];

async function confined(options: ProgramOptions): Promise<ProgramEnd> {
  const { argv, settings, stdin, note, signal, model = settings.model } = options;
  const way = wayTo(model, note);
  const room = await openRoom({
    argv,
    env: { ...way.env, ...options.env },
    stdin: new TextEncoder().encode(stdin),
    shown: settings.files,
    hidden: settings.hidden,
    doors: [...options.doors, ...way.doors],
  });
  const { said, code, left } = await attended(room, signal);
  if (left > 0) note(`${left} process(es) that it had left were ended with it`);
  return {
    ...said,
    code,
    killedBy: code > 128 ? signalName(code - 128) : undefined,
    confinement: { unconfined: false, left_processes: left },
  };
}

async function attended(room: Room, signal: AbortSignal) {
  const end = (): void => room.end();
  signal.addEventListener("abort", end, { once: true });
  if (signal.aborted) end();
  try {
    const [stdout, stderr] = [new Output(room.stdout), new Output(room.stderr)];
    const [ended] = await Promise.all([
      room.ended.catch((error: unknown) => asError(error)),
      stdout.whole,
      stderr.whole,
    ]);
    if (ended instanceof Error) {
      const last = stderr.text.trim().split("\n").at(-1) ?? "";
      throw new EnvironmentError(`${ended.message}: ${last}`, { cause: ended });
    }
    return { said: { stdout: stdout.text, stderr: stderr.text }, ...ended };
  } finally {
    signal.removeEventListener("abort", end);
    room.end();
  }
}

async function unconfined(
  { argv, env, stdin, signal }: ProgramOptions,
  reason: string,
): Promise<ProgramEnd> {
  const folder = mkdtempSync(join(tmpdir(), "agent-"));
  try {
    // A separate session: ending it ends every process in it.
    const child = Bun.spawn([...argv], {
      cwd: folder,
      env: { ...env, HOME: folder },
      detached: true,
      stdin: new TextEncoder().encode(stdin),
      stdout: "pipe",
      stderr: "pipe",
    });
    const end = (): void => endGroup(child.pid);
    signal.addEventListener("abort", end, { once: true });
    if (signal.aborted) end();
    try {
      const [stdout, stderr] = [new Output(child.stdout), new Output(child.stderr)];
      const code = await child.exited;
      end();
      // A process in another session survives this, and may keep the streams open for ever.
      await Promise.race([
        Promise.all([stdout.whole, stderr.whole]),
        systemClock.sleep(LAST_WORDS_MS),
      ]);
      return {
        stdout: stdout.text,
        stderr: stderr.text,
        code,
        killedBy: child.signalCode === null ? undefined : String(child.signalCode),
        confinement: { unconfined: true, unconfined_because: reason },
      };
    } finally {
      signal.removeEventListener("abort", end);
      end();
    }
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/**
 * The output of a program up to a maximum size: the rest is read and dropped, because a full pipe
 * would block the program.
 */
class Output {
  readonly #parts: Uint8Array[] = [];
  #left = MAX_OUTPUT_BYTES;
  /** Resolves at the stream's end. */
  readonly whole: Promise<void>;

  constructor(stream: ReadableStream<Uint8Array>) {
    this.whole = this.#read(stream);
  }

  get text(): string {
    return Buffer.concat(this.#parts).toString();
  }

  async #read(stream: ReadableStream<Uint8Array>): Promise<void> {
    for await (const part of stream) {
      if (this.#left > 0) this.#parts.push(part.subarray(0, this.#left));
      this.#left -= part.length;
    }
  }
}

/** Ends the program and its session; ignores processes that have already ended. */
function endGroup(pid: number): void {
  try {
    process.kill(-pid, "SIGKILL");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ESRCH") throw error;
  }
}

const signalName = (number: number): string =>
  Object.entries(constants.signals).find(([, value]) => value === number)?.[0] ??
  `signal ${number}`;
