/** Forwards connections between network namespaces: from TCP through a unix socket to TCP. */
import { createConnection, createServer, type Server, type Socket } from "node:net";
import { EnvironmentError } from "../base/errors.ts";

/** Copies data both ways until either side ends. */
export function join(a: Socket, b: Socket): void {
  for (const [from, to] of [
    [a, b],
    [b, a],
  ] as const) {
    from.pipe(to);
    // When one side fails, the other is closed, so that the client sees the failure.
    from.on("error", () => to.destroy());
    from.on("close", () => to.destroy());
  }
}

function listening(server: Server, what: string): Promise<Server> {
  return new Promise((resolve, reject) => {
    server.once("error", (error: NodeJS.ErrnoException) => {
      const rule = error.code === "EADDRINUSE" ? "it must be free, but is in use" : error.message;
      reject(new EnvironmentError(`Cannot listen on ${what}: ${rule}`, { cause: error }));
    });
    server.listen(what.startsWith("/") ? { path: what } : address(what), () => resolve(server));
  });
}

function address(text: string): { host: string; port: number } {
  const [host = "", port = ""] = text.split(":");
  return { host, port: Number(port) };
}

/** Listens on `host`:`port` and forwards each client to the unix socket at `path`. */
export function relayFromPort(port: number, path: string, host = "127.0.0.1"): Promise<Server> {
  const server = createServer((socket) => join(socket, createConnection(path)));
  return listening(server, `${host}:${port}`);
}

/** Lets a server listen on the unix socket at `path`. */
export function listenOnSocket(server: Server, path: string): Promise<Server> {
  return listening(server, path);
}

/** Listens on the unix socket at `path` and forwards each client to `host`:`port`. */
export function relayFromSocket(path: string, host: string, port: number): Promise<Server> {
  const server = createServer((socket) => join(socket, createConnection({ host, port })));
  return listening(server, path);
}
