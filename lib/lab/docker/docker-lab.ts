/**
 * The lab in containers: Compose starts it, and the Engine API does the rest. Changes to a service
 * are stored as labels of its container, so that any program can see and undo them.
 */
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { endpointOf, type EngineEndpoint, findEngine } from "../../base/container-engine.ts";
import { processEnv } from "../../base/env.ts";
import { EnvironmentError, messageOf } from "../../base/errors.ts";
import { SERVICES, type ServiceName } from "../../contract/topology.ts";
import {
  type Lab,
  type LabStatus,
  type Lifetime,
  type PartState,
  type ReplaceOptions,
  type ServiceState,
  type ServiceStats,
  type StoredTelemetry,
  type UpOptions,
} from "../lab.ts";
import { composeUp } from "./compose.ts";
import { type Container, type ContainerSummary, Engine } from "./engine.ts";
import {
  type DockerPorts,
  dockerPorts,
  LABEL,
  networkName,
  ONE_SHOT,
  ORDERLY_END,
  filesOf,
  projectName,
} from "./layout.ts";
import { checkPorts } from "./preflight.ts";
import { lookAtLab } from "./readiness.ts";
import { removeProject } from "./remove-project.ts";
import {
  MIN_MEMORY_BYTES,
  cpuLimits,
  isAttached,
  replacement,
  stateOf,
  statsOf,
} from "./service-container.ts";
import { awaitTracks, checkCores, checkMemoryLimit, healServices } from "../shared-steps.ts";
import { takeSnapshot } from "./take-snapshot.ts";
import { type StackUse, useOf } from "./stack-use.ts";

/** Seconds between SIGTERM and SIGKILL, as in the native lab. */
const STOP_GRACE_SECONDS = 5;

const DAEMON = `${import.meta.dir}/daemon.ts`;

export interface DockerLabOptions {
  readonly index: number;
  readonly lifetime: Lifetime;
  /** The project's folder, which holds the compose file. */
  readonly projectDir: string;
  /** The engine; found on the machine unless a test sets it. */
  readonly engine?: EngineEndpoint;
  /** The program that provides Compose; replaced in tests. */
  readonly docker?: string;
}

export class DockerLab implements Lab {
  readonly engine = "docker";
  readonly ports: DockerPorts;
  readonly #options: DockerLabOptions;
  readonly #project: string;
  #client: Engine | undefined;
  /** Ends the lab when this program ends; `down` closes it. */
  #daemon: Daemon | undefined;

  constructor(options: DockerLabOptions) {
    this.#options = options;
    this.ports = dockerPorts(options.index);
    this.#project = projectName(options.index);
  }

  async up(options: UpOptions = {}): Promise<void> {
    const { keepTelemetry = false, signal, onProgress = () => {} } = options;
    signal?.throwIfAborted();
    const before = await this.status();
    try {
      if (before === null) await this.#begin({ ...options, keepTelemetry, onProgress });
      else await this.#heal(before, onProgress);
      const hopeless = new AbortController();
      await awaitTracks(() => lookAtLab(this.#engine, this.#project, this.ports, hopeless), {
        intervalMs: 200,
        signals: [signal, hopeless.signal],
        onProgress,
      });
    } catch (error) {
      if (before !== null) throw error;
      const left = await this.down().then(
        () => "",
        (failure: unknown) => `; what it started could not be removed: ${messageOf(failure)}`,
      );
      throw left === "" ? error : new EnvironmentError(messageOf(error) + left, { cause: error });
    }
  }

  async down(): Promise<void> {
    this.#mustBeOurs(await this.#engine.list(this.#project));
    await removeProject(this.#engine, this.#project);
    rmSync(this.#tokenFile, { force: true });
    // Without this word the daemon would remove the next lab with the same project name.
    void this.#daemon?.stdin.write(ORDERLY_END);
    await this.#daemon?.stdin.end();
    await this.#daemon?.exited;
    this.#daemon = undefined;
  }

  async status(): Promise<LabStatus | null> {
    const listed = await this.#engine.list(this.#project);
    const names = new Set(listed.map(({ Labels }) => Labels[LABEL.service]));
    if (!SERVICES.some((service) => names.has(service))) return null;
    this.#mustBeOurs(listed);
    const lifetimes = listed.map(({ Labels }) => Labels[LABEL.lifetime]);
    const containers = await Promise.all(
      listed.map(async (item) => [item, await this.#engine.inspect(item.Id)] as const),
    );
    const find = (service: string): Container | undefined =>
      containers.find(([{ Labels }]) => Labels[LABEL.service] === service)?.[1];
    return {
      engine: "docker",
      index: this.#options.index,
      lifetime: lifetimes.includes("with-caller") ? "with-caller" : "until-down",
      services: SERVICES.map((service) => {
        const container = find(service);
        return container === undefined ? missing(service) : stateOf(service, container);
      }),
      parts: containers.flatMap(([item, container]) => partOf(item, container)).toSorted(byName),
    };
  }

  async start(service: ServiceName): Promise<void> {
    await this.#engine.start((await this.#find(service)).Id);
  }

  async stop(service: ServiceName): Promise<void> {
    await this.#engine.stop((await this.#find(service)).Id, STOP_GRACE_SECONDS);
  }

  async replace(service: ServiceName, options: ReplaceOptions = {}): Promise<void> {
    checkMemoryLimit(options, MIN_MEMORY_BYTES);
    const before = await this.#find(service);
    const network = networkName(this.#options.index);
    const body = replacement(service, before, options, network);
    await this.#engine.stop(before.Id, STOP_GRACE_SECONDS);
    await this.#engine.remove(before.Id);
    const id = await this.#engine.create(before.Name.replace(/^\//, ""), body);
    await this.#engine.start(id);
  }

  async reconfigure(service: ServiceName, options: ReplaceOptions): Promise<void> {
    const { cpuQuotaCores, network } = await this.state(service);
    await this.replace(service, options);
    // A replaced container starts attached to the network and without a quota.
    if (cpuQuotaCores !== null) await this.limitCpu(service, cpuQuotaCores);
    if (network === "detached") await this.detachNetwork(service);
  }

  async limitCpu(service: ServiceName, cores: number | null): Promise<void> {
    checkCores(service, cores);
    await this.#engine.update((await this.#find(service)).Id, cpuLimits(cores));
  }

  async detachNetwork(service: ServiceName): Promise<void> {
    const container = await this.#find(service);
    if (!isAttached(container)) return;
    await this.#engine.disconnect(networkName(this.#options.index), container.Id);
  }

  async attachNetwork(service: ServiceName): Promise<void> {
    const container = await this.#find(service);
    if (isAttached(container)) return;
    await this.#engine.connect(networkName(this.#options.index), container.Id, [service]);
  }

  async state(service: ServiceName): Promise<ServiceState> {
    return stateOf(service, await this.#find(service));
  }

  async stats(service: ServiceName): Promise<ServiceStats> {
    const container = await this.#find(service);
    return statsOf(container, await this.#engine.stats(container.Id));
  }

  async logs(service: ServiceName, lines = 100): Promise<string> {
    const text = await this.#engine.logs((await this.#find(service)).Id, lines);
    return text.trimEnd().split("\n").slice(-lines).join("\n");
  }

  /** The token for the markers of the telemetry server; undefined when the lab is not up. */
  ownerToken(): string | undefined {
    return existsSync(this.#tokenFile) ? readFileSync(this.#tokenFile, "utf8") : undefined;
  }

  /**
   * Lets Prometheus and the telemetry server write snapshots, and copies them out of their
   * containers.
   */
  async snapshot(): Promise<StoredTelemetry> {
    const { index, projectDir } = this.#options;
    const listed = await this.#engine.list(this.#project);
    this.#mustBeOurs(listed);
    return takeSnapshot(this.#engine, listed, filesOf(projectDir, index).snapshot);
  }

  /**
   * Resource use of all containers of the lab. The CPU share is the difference between two calls.
   */
  async usage(): Promise<StackUse> {
    return useOf(this.#engine, this.#project);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.down();
  }

  get #tokenFile(): string {
    return filesOf(this.#options.projectDir, this.#options.index).ownerToken;
  }

  get #engine(): Engine {
    this.#client ??= new Engine(this.#options.engine ?? mustFindEngine());
    return this.#client;
  }

  async #find(service: ServiceName): Promise<Container> {
    if (!SERVICES.includes(service)) {
      throw new EnvironmentError(`Cannot use the lab: there is no service ${service}`);
    }
    const listed = await this.#engine.list(this.#project);
    this.#mustBeOurs(listed);
    const found = listed.find(({ Labels }) => Labels[LABEL.service] === service);
    if (found === undefined) {
      throw new EnvironmentError(
        `Cannot use ${service}: lab ${this.#options.index} is not up; start it with \`bun run up --engine docker\``,
      );
    }
    return this.#engine.inspect(found.Id);
  }

  /** Throws unless the lab was started from this folder's compose file. */
  #mustBeOurs(listed: readonly ContainerSummary[]): void {
    const { projectDir, index } = this.#options;
    const folders = listed.map(({ Labels }) => Labels[LABEL.workingDir]);
    const other = folders.find((folder) => folder !== undefined && folder !== projectDir);
    if (other === undefined) return;
    throw new EnvironmentError(
      `Cannot use lab ${index}: it must be one of ${projectDir}, but ${other} runs it; take it down there, or choose another one with --lab`,
    );
  }

  async #begin(
    options: UpOptions & Required<Pick<UpOptions, "keepTelemetry" | "onProgress">>,
  ): Promise<void> {
    const { keepTelemetry, fleetSeed, signal, onProgress } = options;
    const { index, lifetime, projectDir, docker } = this.#options;
    const { endpoint } = this.#engine;
    await checkPorts(index);
    if (!keepTelemetry) await removeProject(this.#engine, this.#project);
    const ownerToken = crypto.randomUUID();
    mkdirSync(dirname(this.#tokenFile), { recursive: true });
    writeFileSync(this.#tokenFile, ownerToken, { mode: 0o600 });
    if (lifetime === "with-caller") this.#daemon = startDaemon(this.#project, endpoint.host);
    onProgress("starting the containers");
    await composeUp({
      engine: endpoint,
      projectDir,
      index,
      lifetime,
      ownerToken,
      fleetSeed,
      docker,
      onProgress,
      ...(signal === undefined ? {} : { signal }),
    });
  }

  /**
   * Restores every changed service and starts parts that have ended, as an aborted run may leave
   * them.
   */
  async #heal(status: LabStatus, onProgress: (line: string) => void): Promise<void> {
    await healServices(this, status, onProgress);
    const listed = await this.#engine.list(this.#project);
    for (const { name, state } of status.parts) {
      if (state === "running") continue;
      onProgress(`starting ${name} again`);
      const part = listed.find(({ Labels }) => Labels[LABEL.service] === name);
      if (part !== undefined) await this.#engine.start(part.Id);
    }
  }
}

function mustFindEngine(): EngineEndpoint {
  const engine = findEngine(processEnv());
  if (engine !== undefined) return engine;
  // The default socket, for the message that it does not exist.
  return endpointOf("unix:///var/run/docker.sock");
}

type Daemon = Bun.Subprocess<"pipe", "ignore", "ignore">;

function startDaemon(project: string, host: string): Daemon {
  const child = Bun.spawn([process.execPath, DAEMON, project, host], {
    detached: true,
    stdin: "pipe",
    stdout: "ignore",
    stderr: "ignore",
  });
  child.unref();
  return child;
}

/** The state of a service whose container was removed by another program. */
function missing(service: ServiceName): ServiceState {
  return {
    service,
    state: "exited",
    pid: null,
    exitCode: null,
    oomKilled: false,
    startedUnixMs: 0,
    network: "detached",
    cpuQuotaCores: null,
    memoryLimitBytes: null,
    env: {},
    canonical: false,
  };
}

function partOf({ Labels }: ContainerSummary, { State }: Container): PartState[] {
  const name = Labels[LABEL.service] ?? "";
  if (name === ONE_SHOT || (SERVICES as readonly string[]).includes(name)) return [];
  return [
    { name, state: State.Running ? "running" : "exited", pid: State.Running ? State.Pid : null },
  ];
}

const byName = (a: PartState, b: PartState): number => (a.name < b.name ? -1 : 1);
