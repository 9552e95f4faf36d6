/**
 * A program of the lab: starts it in its network namespace and control group, and watches for its
 * end.
 */
import { type Clock, systemClock } from "../../base/clock.ts";
import { LogFile } from "./log-file.ts";

export interface Program {
  readonly argv: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  readonly cwd: string;
  /** Network namespace; undefined: the lab's own. */
  readonly netns?: string;
  /** Control group folders to join first. */
  readonly groups: readonly string[];
  readonly logPath: string;
}

export interface Exit {
  /** Exit code, or 128 + the number of the signal. */
  readonly code: number;
  readonly unixMs: number;
}

/** Time between SIGTERM and SIGKILL. */
const STOP_GRACE_MS = 5000;

const SIGNAL_NUMBERS: Readonly<Record<string, number>> = {
  SIGHUP: 1,
  SIGINT: 2,
  SIGQUIT: 3,
  SIGABRT: 6,
  SIGKILL: 9,
  SIGSEGV: 11,
  SIGTERM: 15,
};

/**
 * Joins the groups, then executes the program. Folders and program are passed as arguments, never
 * inserted in the script.
 */
const ENTER =
  'n=$1; shift; while [ "$n" -gt 0 ]; do echo $$ >"$1/cgroup.procs" || exit 126; shift; n=$((n-1)); done; exec "$@"';

export class ManagedProcess {
  readonly startedUnixMs: number;
  readonly #child: Bun.Subprocess<"ignore", "pipe", "pipe">;
  readonly #clock: Clock;
  readonly #ended: Promise<void>;
  #exit: Exit | undefined;

  constructor(program: Program, clock: Clock = systemClock) {
    const { argv, env, cwd, netns, groups, logPath } = program;
    const inNetwork = netns === undefined ? [] : ["ip", "netns", "exec", netns];
    this.#clock = clock;
    this.startedUnixMs = clock.nowMs();
    this.#child = Bun.spawn(
      ["sh", "-c", ENTER, "sh", String(groups.length), ...groups, ...inNetwork, ...argv],
      { cwd, env: { ...env }, stdin: "ignore", stdout: "pipe", stderr: "pipe" },
    );
    const log = new LogFile(logPath);
    void Promise.allSettled([log.follow(this.#child.stdout), log.follow(this.#child.stderr)]).then(
      () => log.close(),
    );
    this.#ended = this.#watch();
  }

  get pid(): number {
    return this.#child.pid;
  }

  /** The exit; undefined while it runs. */
  get exit(): Exit | undefined {
    return this.#exit;
  }

  /** Sends SIGTERM, and SIGKILL after the grace period. */
  async stop(): Promise<void> {
    this.#child.kill("SIGTERM");
    await Promise.race([this.#ended, this.#clock.sleep(STOP_GRACE_MS)]);
    await this.kill();
  }

  async kill(): Promise<void> {
    if (this.#exit === undefined) this.#child.kill("SIGKILL");
    await this.#ended;
  }

  async #watch(): Promise<void> {
    const code = await this.#child.exited;
    const signal = this.#child.signalCode;
    const exitCode = signal === null ? code : 128 + (SIGNAL_NUMBERS[signal] ?? 0);
    this.#exit = { code: exitCode, unixMs: this.#clock.nowMs() };
  }
}
