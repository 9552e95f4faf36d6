/** The calls of the Engine API that the lab makes, with types for the fields that it reads. */
import {
  askEngine,
  type EngineEndpoint,
  EngineError,
  readEngine,
} from "../../base/container-engine.ts";
import { LABEL } from "./layout.ts";

/** A container in a list. */
export interface ContainerSummary {
  readonly Id: string;
  readonly Names: readonly string[];
  readonly State: string;
  readonly Labels: Readonly<Record<string, string>>;
}

/** A container as `inspect` shows it. */
export interface Container {
  readonly Id: string;
  readonly Name: string;
  readonly Image: string;
  readonly State: {
    readonly Running: boolean;
    readonly Pid: number;
    readonly ExitCode: number;
    readonly OOMKilled: boolean;
    readonly StartedAt: string;
    readonly Error?: string;
  };
  readonly Config: Readonly<Record<string, unknown>> & {
    readonly Env?: readonly string[];
    readonly Labels: Readonly<Record<string, string>>;
  };
  readonly HostConfig: Readonly<Record<string, unknown>> & {
    readonly Memory: number;
    readonly CpuShares: number;
    readonly CpuQuota: number;
    readonly CpuPeriod: number;
  };
  readonly NetworkSettings: {
    readonly Networks: Readonly<Record<string, unknown>>;
  };
}

/** A sample of what a container uses. */
export interface ContainerStats {
  readonly cpu_stats?: {
    readonly cpu_usage?: { readonly total_usage?: number };
    readonly throttling_data?: {
      readonly periods?: number;
      readonly throttled_periods?: number;
      readonly throttled_time?: number;
    };
  };
  readonly memory_stats?: {
    readonly usage?: number;
    readonly stats?: Readonly<Record<string, number>>;
  };
  readonly networks?: Readonly<
    Record<string, { readonly rx_bytes: number; readonly tx_bytes: number }>
  >;
}

export interface EngineVersion {
  readonly Version: string;
  readonly ApiVersion: string;
  readonly Os: string;
  readonly Components?: readonly { readonly Name: string; readonly Version: string }[];
}

const escape = encodeURIComponent;
const filterOf = (project: string): string =>
  escape(JSON.stringify({ label: [`${LABEL.project}=${project}`] }));

const STOP_TIMEOUT_MS = 60_000;
/** A program in a container and the copy of what it wrote: seconds on an idle machine. */
const COPY_TIMEOUT_MS = 180_000;

export class Engine {
  readonly endpoint: EngineEndpoint;

  constructor(endpoint: EngineEndpoint) {
    this.endpoint = endpoint;
  }

  version(): Promise<EngineVersion> {
    return this.#get("/version");
  }

  /** All containers of a compose project, running or not. */
  list(project: string): Promise<ContainerSummary[]> {
    return this.#get(`/containers/json?all=true&filters=${filterOf(project)}`);
  }

  inspect(id: string): Promise<Container> {
    return this.#get(`/containers/${escape(id)}/json`);
  }

  /** One sample, without the second that the engine otherwise waits for a rate. */
  stats(id: string): Promise<ContainerStats> {
    return this.#get(`/containers/${escape(id)}/stats?stream=false&one-shot=true`);
  }

  /** The last lines of the container's standard output and error. */
  async logs(id: string, lines: number): Promise<string> {
    const path = `/containers/${escape(id)}/logs?stdout=true&stderr=true&tail=${lines}`;
    const response = await askEngine(this.endpoint, path);
    return demultiplex(new Uint8Array(await response.arrayBuffer()));
  }

  /**
   * Runs a program in a running container and waits for its exit. Throws EngineError with its
   * output when it fails.
   */
  async exec(id: string, argv: readonly string[]): Promise<string> {
    const request = { AttachStdout: true, AttachStderr: true, Cmd: argv };
    const path = `/containers/${escape(id)}/exec`;
    const created = await askEngine(this.endpoint, path, { method: "POST", body: request });
    const { Id } = (await created.json()) as { Id: string };
    const said = await readEngine(this.endpoint, `/exec/${escape(Id)}/start`, {
      method: "POST",
      body: { Detach: false, Tty: false },
      timeoutMs: COPY_TIMEOUT_MS,
    });
    const text = demultiplex(said);
    const { ExitCode } = await this.#get<{ ExitCode: number }>(`/exec/${escape(Id)}/json`);
    if (ExitCode === 0) return text;
    throw new EngineError(
      `Cannot run \`${argv.join(" ")}\` in a container: it ended with ${ExitCode}: ${text.trim()}`,
    );
  }

  /** A file or folder of a container, as a tar archive. */
  async archive(id: string, path: string): Promise<Uint8Array> {
    const query = `path=${escape(path)}`;
    return readEngine(this.endpoint, `/containers/${escape(id)}/archive?${query}`, {
      timeoutMs: COPY_TIMEOUT_MS,
    });
  }

  async start(id: string): Promise<void> {
    await this.#send("POST", `/containers/${escape(id)}/start`);
  }

  async stop(id: string, graceSeconds: number): Promise<void> {
    await this.#send("POST", `/containers/${escape(id)}/stop?t=${graceSeconds}`);
  }

  /** Removes a container and its unnamed volumes; ignores a missing container. */
  async remove(id: string): Promise<void> {
    await this.#forget(`/containers/${escape(id)}?force=true&v=true`);
  }

  async create(name: string, body: unknown): Promise<string> {
    const path = `/containers/create?name=${escape(name)}`;
    const response = await askEngine(this.endpoint, path, { method: "POST", body });
    return ((await response.json()) as { Id: string }).Id;
  }

  async update(id: string, limits: Readonly<Record<string, number>>): Promise<void> {
    await this.#send("POST", `/containers/${escape(id)}/update`, limits);
  }

  async connect(network: string, container: string, aliases: readonly string[]): Promise<void> {
    const body = { Container: container, EndpointConfig: { Aliases: aliases } };
    await this.#send("POST", `/networks/${escape(network)}/connect`, body);
  }

  async disconnect(network: string, container: string): Promise<void> {
    const body = { Container: container, Force: true };
    await this.#send("POST", `/networks/${escape(network)}/disconnect`, body);
  }

  /** Removes all networks and volumes of a project; its containers must be gone. */
  async removeNetworksAndVolumes(project: string): Promise<void> {
    const filters = filterOf(project);
    const networks = await this.#get<{ Id: string }[]>(`/networks?filters=${filters}`);
    for (const { Id } of networks) await this.#forget(`/networks/${escape(Id)}`);
    await this.removeVolumes(project);
  }

  async removeVolumes(project: string): Promise<void> {
    const { Volumes } = await this.#get<{ Volumes: { Name: string }[] | null }>(
      `/volumes?filters=${filterOf(project)}`,
    );
    for (const { Name } of Volumes ?? []) await this.#forget(`/volumes/${escape(Name)}`);
  }

  async #get<T>(path: string): Promise<T> {
    const response = await askEngine(this.endpoint, path);
    return (await response.json()) as T;
  }

  async #send(method: "POST" | "DELETE", path: string, body?: unknown): Promise<void> {
    const response = await askEngine(this.endpoint, path, {
      method,
      timeoutMs: STOP_TIMEOUT_MS,
      ...(body === undefined ? {} : { body }),
    });
    await response.arrayBuffer();
  }

  async #forget(path: string): Promise<void> {
    try {
      await this.#send("DELETE", path);
    } catch (error) {
      if (!(error instanceof EngineError && error.status === 404)) throw error;
    }
  }
}

/** Size of the header of a log frame: the stream in the first byte, the length in the last four. */
const FRAME_HEADER_BYTES = 8;

/** Decodes a log of interleaved frames of standard output and error to text. */
export function demultiplex(bytes: Uint8Array): string {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const decoder = new TextDecoder();
  let text = "";
  for (let at = 0; at + FRAME_HEADER_BYTES <= bytes.length;) {
    const length = view.getUint32(at + 4);
    const start = at + FRAME_HEADER_BYTES;
    text += decoder.decode(bytes.subarray(start, start + length), { stream: true });
    at = start + length;
  }
  return text + decoder.decode();
}
