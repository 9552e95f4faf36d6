/** The native lab, as its users see it: everything is asked of the supervisor, over its socket. */
import {
  closeSync,
  existsSync,
  mkdirSync,
  openSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { EnvironmentError, messageOf } from "../../base/errors.ts";
import { type Observation, waitUntil } from "../../base/wait.ts";
import { labPorts, type LabPorts, SERVICES, type ServiceName } from "../../contract/topology.ts";
import type {
  Lab,
  LabStatus,
  Lifetime,
  ReplaceOptions,
  ServiceState,
  ServiceStats,
  UpOptions,
} from "../lab.ts";
import { processEnv } from "../../base/env.ts";
import { removeGroups } from "./cgroup.ts";
import { type Files, filesOf, PARTS } from "./layout.ts";
import { preflight } from "./preflight.ts";
import { ask, type OperationName, type Operations } from "./protocol.ts";

/** A lab is up within seconds; a machine under load takes longer. */
const UP_DEADLINE_MS = 60_000;
const DOWN_DEADLINE_MS = 20_000;

export interface NativeLabOptions {
  readonly index: number;
  readonly lifetime: Lifetime;
  /** The project's folder, whose programs run in the lab. */
  readonly projectDir: string;
}

interface Daemon {
  readonly exited: Promise<number>;
  readonly stdin: { end(): unknown } | undefined;
}

export class NativeLab implements Lab {
  readonly engine = "native";
  readonly ports: LabPorts;
  readonly #options: NativeLabOptions;
  readonly #files: Files;
  /** Set while this program is the one that the lab lives with. */
  #daemon: Daemon | undefined;

  constructor(options: NativeLabOptions) {
    this.#options = options;
    this.ports = labPorts(options.index);
    this.#files = filesOf(options.projectDir, options.index);
  }

  async up(options: UpOptions = {}): Promise<void> {
    const { keepTelemetry = false, signal, onProgress = () => {} } = options;
    const running = await this.status();
    if (running === null) {
      onProgress("starting the lab");
      await this.#clean();
      await preflight(this.#options.index);
      this.#prepare(keepTelemetry);
      this.#daemon = this.#startDaemon();
    } else {
      await this.#heal(running, onProgress);
    }
    try {
      await waitUntil(() => this.#look(), {
        what: "three tracks in the picture",
        deadlineMs: UP_DEADLINE_MS,
        intervalMs: 100,
        signal: this.#abortedWhenDaemonEnds(signal),
      });
    } catch (error) {
      if (running === null) await this.down();
      throw error;
    }
  }

  async down(): Promise<void> {
    const pid = this.#daemonPid();
    if (pid !== undefined) {
      try {
        process.kill(pid, "SIGTERM");
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== "ESRCH") throw error;
      }
      await waitUntil(() => ({ ok: !isAlive(pid), seen: `process ${pid} runs` }), {
        what: "the lab to end",
        deadlineMs: DOWN_DEADLINE_MS,
        intervalMs: 50,
      });
    }
    this.#daemon = undefined;
    await this.#clean();
  }

  async status(): Promise<LabStatus | null> {
    if (!existsSync(this.#files.control)) return null;
    try {
      return await this.#ask("status", []);
    } catch (error) {
      // A socket without anyone behind it is what a killed lab leaves.
      if (error instanceof EnvironmentError && this.#daemonPid() === undefined) return null;
      throw error;
    }
  }

  start(service: ServiceName): Promise<void> {
    return this.#ask("start", [service]);
  }

  stop(service: ServiceName): Promise<void> {
    return this.#ask("stop", [service]);
  }

  replace(service: ServiceName, options: ReplaceOptions = {}): Promise<void> {
    return this.#ask("replace", [service, options]);
  }

  limitCpu(service: ServiceName, cores: number | null): Promise<void> {
    return this.#ask("limitCpu", [service, cores]);
  }

  detachNetwork(service: ServiceName): Promise<void> {
    return this.#ask("detachNetwork", [service]);
  }

  attachNetwork(service: ServiceName): Promise<void> {
    return this.#ask("attachNetwork", [service]);
  }

  async state(service: ServiceName): Promise<ServiceState> {
    const states = (await this.#ask("status", [])).services;
    return states.find((state) => state.service === service) as ServiceState;
  }

  stats(service: ServiceName): Promise<ServiceStats> {
    return this.#ask("stats", [service]);
  }

  async logs(service: ServiceName, lines = 100): Promise<string> {
    const path = this.#files.log(service);
    if (!existsSync(path)) {
      throw new EnvironmentError(`There is no log of ${service}: the lab was never started here`);
    }
    return (await Bun.file(path).text()).trimEnd().split("\n").slice(-lines).join("\n");
  }

  /** What opens the console's markers; undefined when the lab was never up. */
  ownerToken(): string | undefined {
    const { ownerToken } = this.#files;
    return existsSync(ownerToken) ? readFileSync(ownerToken, "utf8") : undefined;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.down();
  }

  #ask<O extends OperationName>(
    op: O,
    args: Parameters<Operations[O]>,
  ): Promise<Awaited<ReturnType<Operations[O]>>> {
    return ask(this.#files.control, op, args);
  }

  /** Makes every service canonical again that is not: what a run that died in mid-fault left. */
  async #heal(status: LabStatus, onProgress: (line: string) => void): Promise<void> {
    for (const { service, canonical } of status.services) {
      if (canonical) continue;
      onProgress(`making ${service} canonical again`);
      await this.replace(service);
    }
  }

  /** Whether the display has three tracks and both parts answer. */
  async #look(): Promise<Observation<never>> {
    const { display, prometheus, console: consolePort } = this.ports;
    const get = (port: number, path: string): Promise<Response> =>
      fetch(`http://127.0.0.1:${port}${path}`, { signal: AbortSignal.timeout(1000) });
    const picture = (await (await get(display, "/api/picture")).json()) as { track_count: number };
    const ready = await Promise.all([get(prometheus, "/-/ready"), get(consolePort, "/api/health")]);
    const parts = ready.filter(({ ok }) => ok).length;
    return {
      ok: picture.track_count === 3 && parts === PARTS.length,
      seen: `${picture.track_count} tracks, ${parts} of ${PARTS.length} parts ready`,
    };
  }

  /** Ends a wait at once when there is nothing left to wait for. */
  #abortedWhenDaemonEnds(signal: AbortSignal | undefined): AbortSignal {
    const ended = new AbortController();
    void this.#daemon?.exited.then(() =>
      ended.abort(new EnvironmentError(`Cannot start the lab: ${this.#lastWords()}`)),
    );
    return signal === undefined ? ended.signal : AbortSignal.any([signal, ended.signal]);
  }

  #lastWords(): string {
    const text = readFileSync(this.#files.daemonLog, "utf8").trimEnd();
    return text.split("\n").at(-1) ?? "it ended without a word";
  }

  #prepare(keepTelemetry: boolean): void {
    const { state, sockets } = this.#files;
    if (!keepTelemetry) rmSync(state, { recursive: true, force: true });
    mkdirSync(`${state}/logs`, { recursive: true });
    for (const name of [...SERVICES, ...PARTS, "daemon"]) {
      rmSync(this.#files.log(name), { force: true });
    }
    mkdirSync(sockets, { recursive: true, mode: 0o700 });
    writeFileSync(this.#files.ownerToken, crypto.randomUUID(), { mode: 0o600 });
  }

  /** Starts the daemon in a session of its own, so that a terminal's Ctrl-C does not reach it. */
  #startDaemon(): Daemon {
    const { index, projectDir, lifetime } = this.#options;
    const log = openSync(this.#files.daemonLog, "a");
    const child = Bun.spawn(
      [
        "setsid",
        process.execPath,
        `${import.meta.dir}/daemon.ts`,
        String(index),
        projectDir,
        lifetime,
      ],
      {
        cwd: projectDir,
        env: { ...processEnv(), LAB_OWNER_TOKEN: this.ownerToken() ?? "" },
        stdin: lifetime === "with-caller" ? "pipe" : "ignore",
        stdout: log,
        stderr: log,
      },
    );
    closeSync(log);
    child.unref();
    return { exited: child.exited, stdin: child.stdin };
  }

  #daemonPid(): number | undefined {
    const { daemonPid } = this.#files;
    if (!existsSync(daemonPid)) return undefined;
    const pid = Number(readFileSync(daemonPid, "utf8"));
    return pid > 0 && isAlive(pid) && isDaemon(pid) ? pid : undefined;
  }

  /** Removes what a killed lab left. */
  async #clean(): Promise<void> {
    rmSync(this.#files.sockets, { recursive: true, force: true });
    // A process that was just killed leaves its group a moment later.
    await waitUntil(
      () => {
        const left = removeGroups(this.#options.index);
        return { ok: left.length === 0, seen: left.join(", ") };
      },
      { what: "the lab's control groups to empty", deadlineMs: DOWN_DEADLINE_MS, intervalMs: 50 },
    );
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

/** A process id may have gone to another program since. */
function isDaemon(pid: number): boolean {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, "utf8").includes("daemon.ts");
  } catch (error) {
    return messageOf(error) === "";
  }
}
