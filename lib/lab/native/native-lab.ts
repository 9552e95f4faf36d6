/** The native lab for programs: sends each call as a request to the supervisor's socket. */
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { processEnv } from "../../base/env.ts";
import { DeadlineError, EnvironmentError } from "../../base/errors.ts";
import { tryNamedLock } from "../../base/named-lock.ts";
import { type Observation, waitUntil } from "../../base/wait.ts";
import { readFleet } from "../../contract/fleet.ts";
import { labPorts, type LabPorts, SERVICES, type ServiceName } from "../../contract/topology.ts";
import type {
  Lab,
  LabStatus,
  Lifetime,
  ReplaceOptions,
  ServiceState,
  ServiceStats,
  StoredTelemetry,
  UpOptions,
} from "../lab.ts";
import { awaitTracks, checkCores, checkMemoryLimit, healServices } from "../shared-steps.ts";
import { endDaemon, runningDaemon, type StartedDaemon, startDaemon } from "./daemon-handle.ts";
import { emptyGroups, usualRoot } from "./group-root.ts";
import { childrenOf, hostPids, type ProcessUse, useOf } from "./host-processes.ts";
import { type Files, filesOf, PARTS, ROOTS_RUNTIME } from "./layout.ts";
import { rotatedPath } from "./log-file.ts";
import { checkMachine, checkPorts } from "./preflight.ts";
import {
  ask,
  type Identity,
  LabGoneError,
  type OperationName,
  type Operations,
  PROTOCOL_VERSION,
} from "./protocol.ts";

/** No service starts with less. */
const MIN_MEMORY_BYTES = 1024 * 1024;
/** Maximum wait for another program that starts or ends the lab. */
const SETTLE_DEADLINE_MS = 20_000;

/**
 * Ending an unresponsive lab takes up to 23 s, and waiting for a starting one SETTLE_DEADLINE_MS.
 */
const ALONE_DEADLINE_MS = 60_000;

export interface NativeLabOptions {
  readonly index: number;
  readonly lifetime: Lifetime;
  /** The project's folder with the lab's programs. */
  readonly projectDir: string;
  /**
   * A program that replaces every service and the telemetry server, by name, in tests of the lab
   * itself.
   */
  readonly standIn?: string;
}

export class NativeLab implements Lab {
  readonly engine = "native";
  readonly ports: LabPorts;
  readonly #options: NativeLabOptions;
  readonly #files: Files;
  /** Set if this program started the lab. */
  #daemon: StartedDaemon | undefined;

  constructor(options: NativeLabOptions) {
    this.#options = options;
    this.ports = labPorts(options.index);
    this.#files = filesOf(options.projectDir, options.index);
  }

  async up(options: UpOptions = {}): Promise<void> {
    try {
      await this.#attemptUp(options);
    } catch (error) {
      if (!(error instanceof LabGoneError)) throw error;
      // The lab that answered first was killed and was ending.
      await this.#attemptUp(options);
    }
  }

  async #attemptUp(options: UpOptions): Promise<void> {
    const { keepTelemetry = false, fleetSeed, signal, onProgress = () => {} } = options;
    signal?.throwIfAborted();
    const running = await this.#alone(signal, async () => {
      await this.#awaitOthersStart(signal);
      const found = await this.status();
      if (found?.owner === "root") throw this.#rootsError("start");
      if (found !== null) return found;
      onProgress("starting the lab");
      await this.#begin(keepTelemetry, fleetSeed);
      return null;
    });
    try {
      if (running !== null) await this.#heal(running, onProgress);
      const ended = new AbortController();
      void this.#daemon?.exited.then(() => ended.abort(this.#whyGone(running !== null)));
      await awaitTracks(() => this.#look(ended, running !== null), {
        intervalMs: 50,
        signals: [signal, ended.signal],
        onProgress,
      });
    } catch (error) {
      // Set if anything was started.
      if (running === null && this.#daemon !== undefined) await this.down();
      throw error;
    }
  }

  async down(): Promise<void> {
    await this.#alone(undefined, async () => {
      const daemon = runningDaemon(this.#files);
      if (daemon !== undefined) {
        this.#mustBeOurs(daemon.projectDir);
        await endDaemon(daemon.pid);
      } else if ((await this.status()) !== null) {
        throw this.#rootsError("take down");
      }
      this.#daemon = undefined;
      await this.#clean();
    });
  }

  async status(): Promise<LabStatus | null> {
    // A lab without its daemon is about to end, even if it still answers.
    const daemon = runningDaemon(this.#files);
    if (daemon === undefined) return this.#statusOfRoots();
    this.#mustBeOurs(daemon.projectDir);
    try {
      const { pidNamespace } = await this.#identity();
      const status = await ask(this.#files.control, "status", []);
      return { ...withHostPids(status, hostPids(pidNamespace)), lifetime: daemon.lifetime };
    } catch (error) {
      if (error instanceof LabGoneError) return null;
      throw error;
    }
  }

  /**
   * The state of the lab that root started from this folder, as through sudo: another user may see
   * it, and no more.
   */
  async #statusOfRoots(): Promise<LabStatus | null> {
    const { index, projectDir } = this.#options;
    const files = filesOf(projectDir, index, ROOTS_RUNTIME);
    if (files.sockets === this.#files.sockets) return null;
    const daemon = runningDaemon(files);
    if (daemon?.projectDir !== projectDir || !existsSync(files.statusSocket)) return null;
    const status = await ask(files.statusSocket, "status", []);
    return { ...withHostPids(status, new Map()), lifetime: daemon.lifetime, owner: "root" };
  }

  /**
   * What the whole lab uses: services, parts, supervisor and daemon. The share of a processor is
   * the difference of two calls. Throws EnvironmentError when the lab is not up.
   */
  async usage(): Promise<ProcessUse> {
    const { pidNamespace } = await this.#identity();
    const daemon = runningDaemon(this.#files);
    const outside = daemon === undefined ? [] : [daemon.pid, ...childrenOf(daemon.pid)];
    return useOf([...outside, ...hostPids(pidNamespace).values()]);
  }

  start(service: ServiceName): Promise<void> {
    return this.#ask("start", [service]);
  }

  stop(service: ServiceName): Promise<void> {
    return this.#ask("stop", [service]);
  }

  async replace(service: ServiceName, options: ReplaceOptions = {}): Promise<void> {
    checkMemoryLimit(options, MIN_MEMORY_BYTES);
    return this.#ask("replace", [service, options]);
  }

  async reconfigure(service: ServiceName, options: ReplaceOptions): Promise<void> {
    checkMemoryLimit(options, MIN_MEMORY_BYTES);
    return this.#ask("reconfigure", [service, options]);
  }

  async limitCpu(service: ServiceName, cores: number | null): Promise<void> {
    // JSON encodes NaN and infinity as null, which would lift the limit.
    checkCores(service, cores);
    return this.#ask("limitCpu", [service, cores]);
  }

  detachNetwork(service: ServiceName): Promise<void> {
    return this.#ask("detachNetwork", [service]);
  }

  attachNetwork(service: ServiceName): Promise<void> {
    return this.#ask("attachNetwork", [service]);
  }

  async state(service: ServiceName): Promise<ServiceState> {
    const status = await this.status();
    const state = status?.services.find((candidate) => candidate.service === service);
    if (state === undefined) {
      throw new EnvironmentError(`Cannot read the state of ${service}: the lab is not up`);
    }
    return state;
  }

  stats(service: ServiceName): Promise<ServiceStats> {
    return this.#ask("stats", [service]);
  }

  async snapshot(): Promise<StoredTelemetry> {
    const name = await this.#ask("snapshotPrometheus", []);
    const prometheusBlocks = `${this.#files.data("prometheus")}/data/snapshots/${name}`;
    return {
      prometheusBlocks,
      telemetryStore: () => Promise.resolve(`${this.#files.data("telemetry")}/telemetry.sqlite`),
      [Symbol.dispose]: () => rmSync(prometheusBlocks, { recursive: true, force: true }),
    };
  }

  async logs(service: ServiceName, lines = 100): Promise<string> {
    const path = this.#files.log(service);
    const parts = [rotatedPath(path), path].filter((candidate) => existsSync(candidate));
    if (parts.length === 0) {
      throw new EnvironmentError(`There is no log of ${service}: the lab was never started here`);
    }
    const texts = await Promise.all(parts.map((part) => Bun.file(part).text()));
    return texts.join("").trimEnd().split("\n").slice(-lines).join("\n");
  }

  /** The token for the console's markers; undefined when the lab was never up. */
  ownerToken(): string | undefined {
    const { ownerToken } = this.#files;
    return existsSync(ownerToken) ? readFileSync(ownerToken, "utf8") : undefined;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.down();
  }

  async #ask<O extends OperationName>(
    op: O,
    args: Parameters<Operations[O]>,
  ): Promise<Awaited<ReturnType<Operations[O]>>> {
    await this.#identity();
    return ask(this.#files.control, op, args);
  }

  /**
   * The identity of the answering lab. Throws EnvironmentError if it belongs to another project or
   * has another protocol version.
   */
  async #identity(): Promise<Identity> {
    if (!existsSync(this.#files.control)) {
      throw new LabGoneError(`Lab ${this.#options.index} is not up: start it with \`bun run up\``);
    }
    const identity = await ask(this.#files.control, "identity", []);
    this.#mustBeOurs(identity.projectDir);
    if (identity.protocol !== PROTOCOL_VERSION) {
      throw new EnvironmentError(
        `Cannot speak to lab ${this.#options.index}: its protocol must be ${PROTOCOL_VERSION}, but is ${identity.protocol}; run \`bun run down\` first`,
      );
    }
    return identity;
  }

  #rootsError(what: string): EnvironmentError {
    return new EnvironmentError(
      `Cannot ${what} lab ${this.#options.index}: its owner must do it, which is root; use sudo`,
    );
  }

  #mustBeOurs(projectDir: string): void {
    if (projectDir === this.#options.projectDir) return;
    throw new EnvironmentError(
      `Cannot use lab ${this.#options.index}: it must be one of ${this.#options.projectDir}, but ${projectDir} runs it; take it down there, or choose another one with --lab`,
    );
  }

  /**
   * Serializes starting and ending the lab between programs: if two started it at once, the second
   * would remove the files of the first.
   */
  async #alone<T>(signal: AbortSignal | undefined, change: () => Promise<T>): Promise<T> {
    const { index } = this.#options;
    const lock = await waitUntil(
      () => {
        const taken = tryNamedLock(`cms-lab-${index}`);
        return {
          ok: taken !== undefined,
          seen: "it is still at it",
          ...(taken && { value: taken }),
        };
      },
      {
        what: `another program to start or end lab ${index}`,
        deadlineMs: ALONE_DEADLINE_MS,
        intervalMs: 20,
        ...(signal === undefined ? {} : { signal }),
      },
    );
    try {
      return await change();
    } finally {
      lock?.release();
    }
  }

  /** Another program may be starting or ending this lab. */
  async #awaitOthersStart(signal: AbortSignal | undefined): Promise<void> {
    const isSettled = (): boolean =>
      existsSync(this.#files.control) || runningDaemon(this.#files) === undefined;
    const waited = waitUntil(() => ({ ok: isSettled(), seen: "no control socket" }), {
      what: "the lab's daemon to start or to end",
      deadlineMs: SETTLE_DEADLINE_MS,
      intervalMs: 50,
      ...(signal === undefined ? {} : { signal }),
    });
    await waited.catch((error: unknown) => {
      if (!(error instanceof DeadlineError)) throw error;
    });
  }

  async #begin(keepTelemetry: boolean, fleetSeed: number | undefined): Promise<void> {
    checkMachine();
    // A daemon without a control socket does not respond.
    const other = runningDaemon(this.#files);
    if (other !== undefined) await endDaemon(other.pid);
    await this.#clean();
    await checkPorts(this.#options.index);
    this.#prepare(keepTelemetry);
    const { standIn, ...rest } = this.#options;
    const ownerToken = this.ownerToken() ?? "";
    this.#daemon = startDaemon({ ...rest, standIn, ownerToken, fleetSeed, files: this.#files });
  }

  /** Restores every changed service and starts ended parts, as an aborted run may leave them. */
  async #heal(status: LabStatus, onProgress: (line: string) => void): Promise<void> {
    await healServices(this, status, onProgress);
    for (const { name, state } of status.parts) {
      if (state === "exited") onProgress(`starting ${name} again`);
    }
    await this.#ask("restartParts", []);
  }

  /**
   * Checks whether the display has three tracks and both parts answer. Aborts `hopeless` if that
   * has become impossible: a program ended by itself, or the lab ended (if `wasUp`).
   */
  async #look(hopeless: AbortController, wasUp: boolean): Promise<Observation<never>> {
    if (existsSync(this.#files.control)) {
      const dead = findDead(await ask(this.#files.control, "status", []));
      if (dead !== undefined) hopeless.abort(this.#whyEnded(dead));
    } else if (wasUp) {
      hopeless.abort(this.#whyGone(wasUp));
    }
    const { display, prometheus, console: consolePort } = this.ports;
    const get = (port: number, path: string): Promise<Response> =>
      fetch(`http://127.0.0.1:${port}${path}`, { signal: AbortSignal.timeout(1000) });
    const picture = await get(display, "/api/picture")
      .then((answer) => answer.json() as Promise<{ track_count: number }>)
      .catch(() => undefined);
    if (picture === undefined) return { ok: false, seen: "the display does not answer yet" };
    const ready = await Promise.all([get(prometheus, "/-/ready"), get(consolePort, "/api/health")]);
    const parts = ready.filter(({ ok }) => ok).length;
    return {
      ok: picture.track_count === readFleet(processEnv()).targets && parts === PARTS.length,
      seen: `${picture.track_count} tracks, ${parts} of ${PARTS.length} parts ready`,
    };
  }

  #whyGone(wasUp: boolean): EnvironmentError {
    return wasUp
      ? new LabGoneError("The lab went away while it was made canonical")
      : new EnvironmentError(`Cannot start the lab: ${lastLine(this.#files.daemonLog)}`);
  }

  #whyEnded(name: string): EnvironmentError {
    return new EnvironmentError(
      `Cannot start the lab: ${name} must keep running, but ended: ${lastLine(this.#files.log(name))}`,
    );
  }

  #prepare(keepTelemetry: boolean): void {
    const { state, sockets } = this.#files;
    if (!keepTelemetry) rmSync(state, { recursive: true, force: true });
    mkdirSync(`${state}/logs`, { recursive: true });
    for (const name of [...SERVICES, ...PARTS, "daemon"]) {
      for (const path of [this.#files.log(name), rotatedPath(this.#files.log(name))]) {
        rmSync(path, { force: true });
      }
    }
    // Others may read the state; each socket says who may connect.
    mkdirSync(sockets, { recursive: true, mode: 0o755 });
    writeFileSync(this.#files.ownerToken, crypto.randomUUID(), { mode: 0o600 });
  }

  /** Removes the files and control groups of a killed lab. */
  async #clean(): Promise<void> {
    const { groupRoot, sockets } = this.#files;
    const root = existsSync(groupRoot) ? readFileSync(groupRoot, "utf8") : usualRoot();
    rmSync(sockets, { recursive: true, force: true });
    if (root !== undefined) await emptyGroups(root, this.#options.index);
  }
}

/** The name of a program that ended by itself. */
function findDead({ services, parts }: LabStatus): string | undefined {
  const service = services.find(({ state }) => state === "exited")?.service;
  return service ?? parts.find(({ state }) => state === "exited")?.name;
}

/** Lines that Bun prints below the message of an uncaught error. */
const NO_MESSAGE = /^(Bun v\d|\s+at |\s*\^|\s*$)/;

/**
 * The last line of a log; for a service, preferably one that is not a log record, such as a fatal
 * error.
 */
function lastLine(path: string): string {
  const lines = existsSync(path) ? readFileSync(path, "utf8").trimEnd().split("\n") : [];
  const said = lines.filter((line) => !line.startsWith("{") && !NO_MESSAGE.test(line));
  const fatal = said.findLast((line) => /\berror:|Error:/.test(line));
  const last = fatal ?? said.at(-1) ?? lines.at(-1) ?? "";
  return last === "" ? "it wrote no message" : last;
}

/** Replaces process ids inside the lab by host ids, which people and tests need. */
function withHostPids(status: LabStatus, pids: ReadonlyMap<number, number>): LabStatus {
  const onHost = <T extends { readonly pid: number | null }>(item: T): T => ({
    ...item,
    pid: item.pid === null ? null : (pids.get(item.pid) ?? null),
  });
  return { ...status, services: status.services.map(onHost), parts: status.parts.map(onHost) };
}
