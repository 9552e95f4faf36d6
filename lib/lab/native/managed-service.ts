/** A service in the native lab: its process, group, network cable and changed settings. */
import { SERVICE_LIMITS, type ServiceName } from "../../contract/topology.ts";
import type { ReplaceOptions, ServiceState, ServiceStats } from "../lab.ts";
import type { Group, Usage } from "./cgroup.ts";
import { ManagedProcess } from "./managed-process.ts";
import { attach, detach } from "./network.ts";
import type { ProgramSpec } from "./programs.ts";

export type MakeProgram = (
  service: ServiceName,
  env: Readonly<Record<string, string>>,
) => ProgramSpec;

const NO_USAGE: Usage = {
  cpuSeconds: 0,
  periods: 0,
  throttledPeriods: 0,
  throttledSeconds: 0,
  memoryBytes: 0,
  rssBytes: 0,
  oomKills: 0,
};

export class ManagedService {
  readonly name: ServiceName;
  readonly #group: Group;
  readonly #makeProgram: MakeProgram;
  #process: ManagedProcess | undefined;
  #options: ReplaceOptions = {};
  #cpuQuotaCores: number | null = null;
  #attached = true;

  constructor(group: Group, name: ServiceName, makeProgram: MakeProgram) {
    this.name = name;
    this.#group = group;
    this.#makeProgram = makeProgram;
  }

  /** Starts a process with the last configuration in a fresh group. Does nothing while one runs. */
  start(): void {
    if (this.#isRunning) return;
    const memoryBytes = this.#options.memoryLimitBytes ?? SERVICE_LIMITS.memoryBytes;
    this.#group.reset({ ...SERVICE_LIMITS, memoryBytes });
    if (this.#cpuQuotaCores !== null) this.#group.limitCpu(this.#cpuQuotaCores);
    const program = this.#makeProgram(this.name, this.#options.env ?? {});
    this.#process = new ManagedProcess({ ...program, groups: this.#group.folders });
  }

  async stop(): Promise<void> {
    await this.#process?.stop();
  }

  async kill(): Promise<void> {
    await this.#process?.kill();
  }

  /** Replaces the process, attaches the network and lifts the CPU limit. */
  async replace(options: ReplaceOptions): Promise<void> {
    await this.stop();
    this.#options = options;
    this.#cpuQuotaCores = null;
    await this.attach();
    this.start();
  }

  /** Replaces only the process; keeps network and CPU limit. */
  async reconfigure(options: ReplaceOptions): Promise<void> {
    await this.stop();
    this.#options = options;
    this.start();
  }

  limitCpu(cores: number | null): void {
    this.#group.limitCpu(cores);
    this.#cpuQuotaCores = cores;
  }

  async detach(): Promise<void> {
    if (!this.#attached) return;
    await detach(this.name);
    this.#attached = false;
  }

  async attach(): Promise<void> {
    if (this.#attached) return;
    await attach(this.name);
    this.#attached = true;
  }

  state(): ServiceState {
    const exit = this.#process?.exit;
    const { env = {}, memoryLimitBytes = null } = this.#options;
    const isRunning = this.#isRunning;
    return {
      service: this.name,
      state: isRunning ? "running" : "exited",
      pid: isRunning ? (this.#process?.pid ?? null) : null,
      exitCode: exit?.code ?? null,
      oomKilled: !isRunning && this.usage().oomKills > 0,
      startedUnixMs: this.#process?.startedUnixMs ?? 0,
      network: this.#attached ? "attached" : "detached",
      cpuQuotaCores: this.#cpuQuotaCores,
      memoryLimitBytes,
      env,
      canonical:
        isRunning &&
        this.#attached &&
        this.#cpuQuotaCores === null &&
        memoryLimitBytes === null &&
        Object.keys(env).length === 0,
    };
  }

  stats(): ServiceStats {
    const { cpuSeconds, memoryBytes, throttledSeconds, oomKills } = this.usage();
    return { cpuSeconds, memoryBytes, throttledSeconds, oomKills };
  }

  usage(): Usage {
    return this.#process === undefined ? NO_USAGE : this.#group.usage();
  }

  get #isRunning(): boolean {
    return this.#process !== undefined && this.#process.exit === undefined;
  }
}
