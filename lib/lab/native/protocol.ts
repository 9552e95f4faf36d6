/**
 * The lab's control protocol: one JSON object per line over a unix socket, with one answer per
 * request.
 */
import { createConnection, createServer, type Server, type Socket } from "node:net";
import { EnvironmentError, messageOf } from "../../base/errors.ts";
import type { ServiceName } from "../../contract/topology.ts";
import type { LabStatus, ReplaceOptions, ServiceStats } from "../lab.ts";

/**
 * Increased with every change of the operations or their answers, since a lab can outlive the
 * program that started it.
 */
export const PROTOCOL_VERSION = 3;

/** The project of a lab, so that a checkout never uses another checkout's lab. */
export interface Identity {
  readonly protocol: number;
  readonly projectDir: string;
  /** The lab's pid namespace in the notation of /proc/<pid>/ns/pid. */
  readonly pidNamespace: string;
}

/** All requests to a running lab. Process ids are those inside the lab. */
export interface Operations {
  identity(): Identity;
  status(): LabStatus;
  /** Restarts ended parts. */
  restartParts(): Promise<void>;
  start(service: ServiceName): Promise<void>;
  stop(service: ServiceName): Promise<void>;
  replace(service: ServiceName, options: ReplaceOptions): Promise<void>;
  reconfigure(service: ServiceName, options: ReplaceOptions): Promise<void>;
  limitCpu(service: ServiceName, cores: number | null): Promise<void>;
  detachNetwork(service: ServiceName): Promise<void>;
  attachNetwork(service: ServiceName): Promise<void>;
  stats(service: ServiceName): ServiceStats;
  snapshotPrometheus(): Promise<string>;
}

export type OperationName = keyof Operations;

/** Names that may be called; all others are refused. */
const OPERATION_NAMES: ReadonlySet<string> = new Set<OperationName>([
  "identity",
  "status",
  "restartParts",
  "start",
  "stop",
  "replace",
  "reconfigure",
  "limitCpu",
  "detachNetwork",
  "attachNetwork",
  "stats",
  "snapshotPrometheus",
]);

interface Request {
  readonly op: OperationName;
  readonly args: readonly unknown[];
}

type Reply =
  { readonly ok: true; readonly result: unknown } | { readonly ok: false; readonly error: string };

/** Nothing listens on the socket: the lab is ending, has ended or was killed. */
export class LabGoneError extends EnvironmentError {}

/** Longest request or answer, bytes. */
const MAX_LINE_BYTES = 1024 * 1024;

/** Serves `operations`, all or some, on the socket at `path`. */
export function serve(path: string, operations: Partial<Operations>): Server {
  const server = createServer((socket) => {
    // The client closed the connection before the answer.
    socket.on("error", () => socket.destroy());
    onLines(socket, (line) => {
      void answer(operations, line).then((reply) => socket.write(`${JSON.stringify(reply)}\n`));
    });
  });
  server.listen(path);
  return server;
}

async function answer(operations: Partial<Operations>, line: string): Promise<Reply> {
  try {
    const { op, args } = JSON.parse(line) as Request;
    const operation = OPERATION_NAMES.has(op)
      ? (operations[op] as (...args: never[]) => unknown)
      : undefined;
    if (operation === undefined) return { ok: false, error: `there is no operation ${op}` };
    const result = await operation.apply(operations, args as never[]);
    return { ok: true, result: result ?? null };
  } catch (error) {
    return { ok: false, error: messageOf(error) };
  }
}

const GONE: ReadonlySet<string> = new Set(["ENOENT", "ECONNREFUSED", "ECONNRESET", "EPIPE"]);

/**
 * Sends a request to the lab at `path`. Throws LabGoneError if there is none, and EnvironmentError
 * if it failed.
 */
export async function ask<O extends OperationName>(
  path: string,
  op: O,
  args: Parameters<Operations[O]>,
  timeoutMs = 30_000,
): Promise<Awaited<ReturnType<Operations[O]>>> {
  const reply = await new Promise<Reply>((resolve, reject) => {
    const socket = createConnection(path);
    socket.setTimeout(timeoutMs, () => socket.destroy(new Error("no answer in time")));
    socket.on("error", (error: NodeJS.ErrnoException) => {
      const isGone = GONE.has(error.code ?? "");
      reject(isGone ? new LabGoneError(`Cannot ask the lab to ${op}: it is not up`) : error);
    });
    socket.on("close", () => reject(new LabGoneError(`Cannot ask the lab to ${op}: it went away`)));
    onLines(socket, (line) => {
      resolve(JSON.parse(line) as Reply);
      socket.end();
    });
    socket.write(`${JSON.stringify({ op, args })}\n`);
  }).catch((error: Error) => {
    if (error instanceof LabGoneError) throw error;
    throw new EnvironmentError(`Cannot ask the lab to ${op}: ${error.message}`, { cause: error });
  });
  if (!reply.ok) throw new EnvironmentError(`The lab cannot ${op}: ${reply.error}`);
  return reply.result as Awaited<ReturnType<Operations[O]>>;
}

function onLines(socket: Socket, take: (line: string) => void): void {
  let text = "";
  socket.setEncoding("utf8");
  socket.on("data", (chunk) => {
    text += String(chunk);
    if (text.length > MAX_LINE_BYTES) socket.destroy(new Error("a line is too long"));
    for (let end = text.indexOf("\n"); end >= 0; end = text.indexOf("\n")) {
      take(text.slice(0, end));
      text = text.slice(end + 1);
    }
  });
}
