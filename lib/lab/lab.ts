/**
 * The lab: the only thing that starts, stops and breaks services. Scenarios are written against
 * this interface alone; every engine passes the suite in `testing/lab.case.ts`.
 */
import type { LabPorts, ServiceName } from "../contract/topology.ts";

/** How a replaced service differs from the canonical one. */
export interface ReplaceOptions {
  /** Variables on top of the canonical environment. */
  readonly env?: Readonly<Record<string, string>>;
  /** Hard memory limit, bytes. */
  readonly memoryLimitBytes?: number;
}

/** What a service's process group is doing. */
export interface ServiceState {
  readonly service: ServiceName;
  readonly state: "running" | "exited";
  readonly pid: number | null;
  /** Exit code of the last process, 128 + signal when a signal ended it; null while running. */
  readonly exitCode: number | null;
  /** Whether the kernel killed it for exceeding its memory limit. */
  readonly oomKilled: boolean;
  readonly startedUnixMs: number;
  readonly network: "attached" | "detached";
  /** Processor quota in cores; null when there is none. */
  readonly cpuQuotaCores: number | null;
  /** Its own memory limit; null when it has the canonical one. */
  readonly memoryLimitBytes: number | null;
  /** Its own variables on top of the canonical environment. */
  readonly env: Readonly<Record<string, string>>;
  /** Whether env, limits, quota and network are the canonical ones and the process runs. */
  readonly canonical: boolean;
}

/** Resource use since start. */
export interface ServiceStats {
  readonly cpuSeconds: number;
  readonly memoryBytes: number;
  readonly throttledSeconds: number;
  readonly oomKills: number;
}

/** A part of the lab that is not a service. */
export interface PartState {
  readonly name: string;
  readonly state: "running" | "exited";
  readonly pid: number | null;
}

export interface LabStatus {
  readonly engine: "native" | "docker";
  readonly index: number;
  /** How long the lab lives. A lab with "with-caller" is in use by the program that started it. */
  readonly lifetime?: Lifetime;
  readonly services: readonly ServiceState[];
  readonly parts: readonly PartState[];
}

/**
 * How long a lab that this program started lives: until it is taken down, or no longer than the
 * program.
 */
export type Lifetime = "until-down" | "with-caller";

export interface UpOptions {
  /**
   * Keep what Prometheus, logs and traces hold from earlier runs; false starts with empty stores.
   */
  readonly keepTelemetry?: boolean;
  /** Decides the targets' places and the sensors' noise, unless CMS_SEED does. */
  readonly fleetSeed?: number;
  readonly onProgress?: (line: string) => void;
  readonly signal?: AbortSignal;
}

/**
 * The smallest share of a processor that a service can be limited to: the kernel gives no less than
 * 1 ms in a second.
 */
export const MIN_CORES = 0.001;

/** What a lab has stored, as files of this machine; disposing removes the files made for it. */
export interface StoredTelemetry extends Disposable {
  /** The folder of a snapshot that Prometheus made just now: one folder for each block. */
  readonly prometheusBlocks: string;
  /**
   * Path of the telemetry server's database as it is at this call; the server may still be writing
   * to it.
   */
  readonly telemetryStore: () => Promise<string>;
}

/** A running or stopped lab. All times are bounded; errors are EnvironmentError or UsageError. */
export interface Lab extends AsyncDisposable {
  readonly engine: "native" | "docker";
  readonly ports: LabPorts;
  /** Starts everything and returns when three tracks are in the picture. Idempotent. */
  up(options?: UpOptions): Promise<void>;
  /** Stops everything and leaves nothing behind. Idempotent. */
  down(): Promise<void>;
  /** The state of all services and parts; null when the lab is not up. */
  status(): Promise<LabStatus | null>;
  /** Starts a stopped service again, as it was configured last. */
  start(service: ServiceName): Promise<void>;
  /**
   * Sends SIGTERM and waits for the exit; SIGKILL after a grace period. The service stays stopped.
   */
  stop(service: ServiceName): Promise<void>;
  /**
   * Puts a fresh process in place of the service: with these options, or the canonical one with
   * none.
   */
  replace(service: ServiceName, options?: ReplaceOptions): Promise<void>;
  /**
   * Starts the service anew with these options in place of its present ones. Its network and its
   * processor quota stay as they are.
   */
  reconfigure(service: ServiceName, options: ReplaceOptions): Promise<void>;
  /**
   * Limits the running service to `cores` of a processor (MIN_CORES to 64), without a restart;
   * null lifts the limit.
   */
  limitCpu(service: ServiceName, cores: number | null): Promise<void>;
  /** Cuts the service off the network while it keeps running. */
  detachNetwork(service: ServiceName): Promise<void>;
  attachNetwork(service: ServiceName): Promise<void>;
  state(service: ServiceName): Promise<ServiceState>;
  stats(service: ServiceName): Promise<ServiceStats>;
  /** The token for the owner's markers on the console; undefined when the lab was never up. */
  ownerToken(): string | undefined;
  /** Has Prometheus write a snapshot of all that it knows, the newest samples too. */
  snapshot(): Promise<StoredTelemetry>;
  /** The last `lines` lines that the service wrote to standard output and error. */
  logs(service: ServiceName, lines?: number): Promise<string>;
}
