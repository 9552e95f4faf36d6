/**
 * Finds the HTTP API of a container engine, and sends it one request. Errors name the next step.
 */
import { accessSync, constants, existsSync } from "node:fs";
import type { Env } from "./env.ts";
import { EnvironmentError, messageOf } from "./errors.ts";

/** Address of an engine's API, in the notation of DOCKER_HOST. */
export interface EngineEndpoint {
  readonly host: string;
  /** Path of the socket; undefined for an engine over TCP. */
  readonly socket: string | undefined;
  /** Prefix of every request's URL. */
  readonly url: string;
}

/** The engine does not answer or refuses; `status` is the HTTP status of a refusal. */
export class EngineError extends EnvironmentError {
  readonly status: number | undefined;

  constructor(message: string, options: ErrorOptions & { readonly status?: number } = {}) {
    super(message, options);
    this.status = options.status;
  }
}

const NEXT_STEP = "start Docker (or Podman with its socket), or set DOCKER_HOST";

/** The sockets of Docker Engine, Docker Desktop, rootless Docker, Podman and rootless Podman. */
function usualSockets(env: Env): string[] {
  const home = env["HOME"] ?? "";
  const run = env["XDG_RUNTIME_DIR"] ?? "";
  return [
    "/var/run/docker.sock",
    ...(home === "" ? [] : [`${home}/.docker/run/docker.sock`]),
    ...(run === "" ? [] : [`${run}/docker.sock`]),
    "/run/podman/podman.sock",
    ...(run === "" ? [] : [`${run}/podman/podman.sock`]),
  ];
}

/**
 * Returns the engine that DOCKER_HOST names, or the first usual socket that exists; undefined when
 * there is none.
 */
export function findEngine(
  env: Env,
  exists: (path: string) => boolean = existsSync,
): EngineEndpoint | undefined {
  const named = env["DOCKER_HOST"] ?? "";
  if (named !== "") return endpointOf(named);
  const socket = usualSockets(env).find(exists);
  return socket === undefined ? undefined : endpointOf(`unix://${socket}`);
}

/** Parses a value of DOCKER_HOST; throws EngineError for an unsupported kind of address. */
export function endpointOf(host: string): EngineEndpoint {
  if (host.startsWith("unix:///")) {
    return { host, socket: host.slice("unix://".length), url: "http://localhost" };
  }
  if (/^tcp:\/\/[^/]+$/.test(host)) {
    return { host, socket: undefined, url: host.replace("tcp:", "http:") };
  }
  throw new EngineError(
    `Cannot ask the container engine: DOCKER_HOST must be unix:///path or tcp://host:port, but is ${JSON.stringify(host)}`,
  );
}

export interface EngineRequest {
  readonly method?: "GET" | "POST" | "DELETE";
  readonly body?: unknown;
  readonly timeoutMs?: number;
}

const DEFAULT_TIMEOUT_MS = 30_000;

/**
 * Sends one request; throws EngineError when the engine does not exist, denies access, or refuses.
 */
export async function askEngine(
  engine: EngineEndpoint,
  path: string,
  request: EngineRequest = {},
): Promise<Response> {
  const { method = "GET", body, timeoutMs = DEFAULT_TIMEOUT_MS } = request;
  mustBeAllowed(engine);
  let response: Response;
  try {
    response = await fetch(`${engine.url}${path}`, {
      method,
      ...(engine.socket === undefined ? {} : { unix: engine.socket }),
      ...(body === undefined
        ? {}
        : { body: JSON.stringify(body), headers: { "content-type": "application/json" } }),
      signal: AbortSignal.timeout(timeoutMs),
    });
  } catch (error) {
    throw new EngineError(
      `Cannot ask the container engine: one must answer at ${engine.host}, but ${messageOf(error)}; ${NEXT_STEP}`,
      { cause: error },
    );
  }
  if (response.ok || response.status === 304) return response;
  const text = await response.text();
  throw new EngineError(`The container engine refused ${method} ${path}: ${reasonIn(text)}`, {
    status: response.status,
  });
}

/**
 * Explains why a socket cannot be opened: the file's permissions say more than the connection's
 * error.
 */
function mustBeAllowed({ host, socket }: EngineEndpoint): void {
  if (socket === undefined) return;
  if (!existsSync(socket)) {
    throw new EngineError(
      `Cannot ask the container engine: one must answer at ${host}, but there is no such socket; ${NEXT_STEP}`,
    );
  }
  try {
    accessSync(socket, constants.R_OK | constants.W_OK);
  } catch (error) {
    throw new EngineError(
      `Cannot ask the container engine: this user must be allowed to use ${socket}, but is not; run \`sudo usermod -aG docker $USER\` and log in again`,
      { cause: error },
    );
  }
}

function reasonIn(text: string): string {
  try {
    const { message, cause } = JSON.parse(text) as { message?: string; cause?: string };
    return message ?? cause ?? text;
  } catch {
    return text.trim().slice(0, 300);
  }
}

/** Sends one request and reads its whole answer, all within the time limit; throws EngineError. */
export async function readEngine(
  engine: EngineEndpoint,
  path: string,
  request: EngineRequest = {},
): Promise<Uint8Array> {
  const response = await askEngine(engine, path, request);
  try {
    return new Uint8Array(await response.arrayBuffer());
  } catch (error) {
    const what = `${request.method ?? "GET"} ${path}`;
    throw new EngineError(
      `Cannot read the container engine's answer to ${what}: ${messageOf(error)}`,
      { cause: error },
    );
  }
}

/** Whether an engine answers within two seconds. */
export async function engineAnswers(engine: EngineEndpoint | undefined): Promise<boolean> {
  if (engine === undefined) return false;
  try {
    await askEngine(engine, "/_ping", { timeoutMs: 2000 });
    return true;
  } catch (error) {
    if (error instanceof EngineError) return false;
    throw error;
  }
}
