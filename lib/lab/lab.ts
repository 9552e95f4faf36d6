/**
 * The lab, which starts, stops and breaks services. Scenarios use only this interface, and every
 * engine passes the suite in `testing/lab.case.ts`.
 */
import type { LabPorts, ServiceName } from "../contract/topology.ts";

/** How a replaced service differs from the canonical one. */
export interface ReplaceOptions {
  /** Variables in addition to the canonical environment. */
  readonly env?: Readonly<Record<string, string>>;
  /** Hard memory limit, bytes. */
  readonly memoryLimitBytes?: number;
}

/** The state of a service's process group. */
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
  /** Variables in addition to the canonical environment. */
  readonly env: Readonly<Record<string, string>>;
  /** Whether the process runs with the canonical environment, limits, quota and network. */
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
  /** The lab's lifetime. A "with-caller" lab is in use by the program that started it. */
  readonly lifetime?: Lifetime;
  /** Set when the lab is not this user's: its state can be seen, and nothing else. */
  readonly owner?: "root";
  readonly services: readonly ServiceState[];
  readonly parts: readonly PartState[];
}

/** Until it is taken down, or until the program that started it ends. */
export type Lifetime = "until-down" | "with-caller";

export interface UpOptions {
  /** Keeps the metrics, logs and traces of earlier runs; false starts with empty stores. */
  readonly keepTelemetry?: boolean;
  /** Seed of the targets' positions and the sensors' noise; CMS_SEED overrides it. */
  readonly fleetSeed?: number;
  readonly onProgress?: (line: string) => void;
  readonly signal?: AbortSignal;
}

/** The smallest CPU limit of a service, in cores: the kernel's minimum is 1 ms per second. */
export const MIN_CORES = 0.001;

/**
 * The stored data of a lab as files of this machine; disposing removes the files created for it.
 */
export interface StoredTelemetry extends Disposable {
  /** A fresh snapshot of Prometheus: a folder with one folder per block. */
  readonly prometheusBlocks: string;
  /**
   * Path of the telemetry server's database at the time of the call; the server may still write to
   * it.
   */
  readonly telemetryStore: () => Promise<string>;
}

/**
 * A running or stopped lab. All calls have deadlines; errors are EnvironmentError or UsageError.
 */
export interface Lab extends AsyncDisposable {
  readonly engine: "native" | "docker";
  readonly ports: LabPorts;
  /** Starts everything and returns when the picture has three tracks. Idempotent. */
  up(options?: UpOptions): Promise<void>;
  /** Stops everything and leaves nothing behind. Idempotent. */
  down(): Promise<void>;
  /** The state of all services and parts; null when the lab is not up. */
  status(): Promise<LabStatus | null>;
  /** Starts a stopped service with its last configuration. */
  start(service: ServiceName): Promise<void>;
  /**
   * Sends SIGTERM and waits for the exit; SIGKILL after a grace period. The service stays stopped.
   */
  stop(service: ServiceName): Promise<void>;
  /** Restarts the service with these options, or as the canonical service without options. */
  replace(service: ServiceName, options?: ReplaceOptions): Promise<void>;
  /**
   * Restarts the service with these options instead of its current ones; keeps its network and CPU
   * quota.
   */
  reconfigure(service: ServiceName, options: ReplaceOptions): Promise<void>;
  /**
   * Limits the running service to `cores` of CPU (MIN_CORES to 64) without a restart; null lifts
   * the limit.
   */
  limitCpu(service: ServiceName, cores: number | null): Promise<void>;
  /** Detaches the service from the network while it keeps running. */
  detachNetwork(service: ServiceName): Promise<void>;
  attachNetwork(service: ServiceName): Promise<void>;
  state(service: ServiceName): Promise<ServiceState>;
  stats(service: ServiceName): Promise<ServiceStats>;
  /** The token for the owner's markers; undefined when the lab was never up. */
  ownerToken(): string | undefined;
  /** Lets Prometheus write a snapshot of all its data, including the newest samples. */
  snapshot(): Promise<StoredTelemetry>;
  /** The last `lines` lines that the service wrote to standard output and error. */
  logs(service: ServiceName, lines?: number): Promise<string>;
}
