/** Starts, finds and ends the daemon of a lab from other programs. */
import { closeSync, existsSync, openSync, readFileSync, writeFileSync } from "node:fs";
import { processEnv } from "../../base/env.ts";
import { DeadlineError } from "../../base/errors.ts";
import { waitUntil } from "../../base/wait.ts";
import type { Lifetime } from "../lab.ts";
import { delegated } from "./group-root.ts";
import { type Files, runtimeFolder } from "./layout.ts";

const PROGRAM = `${import.meta.dir}/daemon.ts`;
/** Slightly longer than the daemon's grace period for the supervisor. */
const STOP_DEADLINE_MS = 18_000;
const KILL_DEADLINE_MS = 5000;
/**
 * Maximum number of reads of /proc for a process that starts or ends; each takes some microseconds.
 */
const MAX_LOOKS = 2000;

/** A running daemon. */
export interface RunningDaemon {
  readonly pid: number;
  /** The folder of the project that started it. */
  readonly projectDir: string;
  readonly lifetime: Lifetime;
}

export interface DaemonOptions {
  readonly index: number;
  readonly lifetime: Lifetime;
  readonly projectDir: string;
  readonly standIn: string | undefined;
  readonly ownerToken: string;
  readonly fleetSeed?: number | undefined;
  readonly files: Files;
}

/** A daemon as its starter sees it. With `with-caller`, the starter's end ends the lab. */
export interface StartedDaemon {
  readonly exited: Promise<number>;
}

/** Starts the daemon in its own session, so that a terminal's Ctrl-C does not reach it. */
export function startDaemon(options: DaemonOptions): StartedDaemon {
  const { index, lifetime, projectDir, standIn, ownerToken, files, fleetSeed } = options;
  const log = openSync(files.daemonLog, "a");
  const argv = [process.execPath, PROGRAM, String(index), projectDir, lifetime];
  if (standIn !== undefined) argv.push(standIn);
  const child = Bun.spawn(delegated(argv, index), {
    cwd: projectDir,
    // Creates a new session.
    detached: true,
    env: {
      ...(fleetSeed === undefined ? {} : { CMS_SEED: String(fleetSeed) }),
      ...processEnv(),
      // The user's systemd is found through it, and not every shell sets it.
      XDG_RUNTIME_DIR: runtimeFolder(),
      LAB_OWNER_TOKEN: ownerToken,
    },
    stdin: lifetime === "with-caller" ? "pipe" : "ignore",
    stdout: log,
    stderr: log,
  });
  closeSync(log);
  // Written here instead of by the daemon, so that the daemon can be ended as soon as it exists.
  writeFileSync(files.daemonPid, String(child.pid));
  child.unref();
  return child;
}

/**
 * The daemon of the pid file; undefined if it does not run or the id belongs to another program.
 */
export function runningDaemon(files: Files): RunningDaemon | undefined {
  if (!existsSync(files.daemonPid)) return undefined;
  const pid = Number(readFileSync(files.daemonPid, "utf8"));
  const argv = commandLine(pid);
  const at = argv.findIndex((argument) => argument.endsWith("/native/daemon.ts"));
  const projectDir = argv[at + 2];
  const lifetime = argv[at + 3] === "with-caller" ? "with-caller" : "until-down";
  return at < 0 || projectDir === undefined ? undefined : { pid, projectDir, lifetime };
}

/** Ends a daemon and its lab: SIGTERM, then SIGKILL after the deadline. */
export async function endDaemon(pid: number): Promise<void> {
  const ended = (deadlineMs: number): Promise<void | undefined> =>
    waitUntil(() => ({ ok: commandLine(pid).length === 0, seen: `process ${pid} runs` }), {
      what: "the lab to end",
      deadlineMs,
      intervalMs: 20,
    });
  send(pid, "SIGTERM");
  try {
    await ended(STOP_DEADLINE_MS);
  } catch (error) {
    if (!(error instanceof DeadlineError)) throw error;
    // The supervisor's standard input closes, which makes it end the lab.
    send(pid, "SIGKILL");
    await ended(KILL_DEADLINE_MS);
  }
}

function send(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ESRCH") throw error;
  }
}

/** A process's arguments; empty if it has ended. */
function commandLine(pid: number): string[] {
  try {
    // A process that is starting or ending has no arguments for a moment, but may hold ports.
    for (let attempt = 0; attempt < MAX_LOOKS && isAlive(pid); attempt += 1) {
      const text = readFileSync(`/proc/${pid}/cmdline`, "utf8");
      if (text !== "") return text.split("\0").filter(Boolean);
    }
    return [];
  } catch {
    return [];
  }
}

function isAlive(pid: number): boolean {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    return !/^[ZX]/.test(stat.slice(stat.lastIndexOf(")") + 2));
  } catch {
    return false;
  }
}
