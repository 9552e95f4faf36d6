/**
 * An HTTP proxy to a single server, by name and port: CONNECT for TLS, which is not decrypted, and
 * plain requests in proxy form. The proxy resolves the name, so clients need no name server.
 */
import { createConnection, createServer, type Server, type Socket } from "node:net";
import { join } from "./relay.ts";

const MAX_HEAD_BYTES = 16 * 1024;
/** Milliseconds to receive a request's head, and to connect to the server. */
const PATIENCE_MS = 10_000;

export interface ServerName {
  readonly host: string;
  readonly port: number;
}

/**
 * Creates the proxy without listening; `onRefused` is called for each request for another server.
 */
export function createConnectProxy(allowed: ServerName, onRefused: (what: string) => void): Server {
  return createServer((client) => {
    let head = Buffer.alloc(0);
    const refuse = (status: string, why: string): void => {
      client.end(
        `HTTP/1.1 ${status}\r\nConnection: close\r\nContent-Type: text/plain\r\n\r\n${why}\n`,
      );
    };
    client.setTimeout(PATIENCE_MS, () => client.destroy());
    client.on("error", () => client.destroy());
    const read = (part: Buffer): void => {
      head = Buffer.concat([head, part]);
      const end = head.indexOf("\r\n\r\n");
      if (end < 0) {
        if (head.length > MAX_HEAD_BYTES)
          refuse("431 Request Header Fields Too Large", "the head is too long");
        return;
      }
      client.off("data", read);
      client.pause();
      const asked = parseRequest(head.subarray(0, end).toString("latin1"));
      if (asked === undefined)
        return refuse("400 Bad Request", "a proxy needs CONNECT or a whole URL");
      const { host, port } = asked;
      if (host !== allowed.host.toLowerCase() || port !== allowed.port) {
        onRefused(`${host}:${port}`);
        return refuse("403 Forbidden", `only ${allowed.host}:${allowed.port} can be reached`);
      }
      pass(client, allowed, asked.rest, head.subarray(end), refuse);
    };
    client.on("data", read);
  });
}

interface Asked extends ServerName {
  /** The request's head as sent to the server; undefined for CONNECT. */
  readonly rest: string | undefined;
}

function parseRequest(head: string): Asked | undefined {
  const [line = "", ...fields] = head.split("\r\n");
  const [, method = "", target = "", version = ""] =
    /^(\S+) (\S+) (HTTP\/1\.[01])$/.exec(line) ?? [];
  const url = URL.parse(method === "CONNECT" ? `https://${target}` : target);
  if (url === null || !/^https?:$/.test(url.protocol)) return undefined;
  const host = url.hostname.toLowerCase();
  if (method === "CONNECT") {
    const port = Number(/:(\d+)$/.exec(target)?.[1]);
    return Number.isInteger(port) ? { host, port, rest: undefined } : undefined;
  }
  if (url.protocol !== "http:") return undefined;
  const kept = fields.filter((field) => !/^proxy-/i.test(field));
  const rest = [`${method} ${url.pathname}${url.search} ${version}`, ...kept].join("\r\n");
  return { host, port: Number(url.port || 80), rest };
}

/** Forwards all further data of this connection to the same server. */
function pass(
  client: Socket,
  { host, port }: ServerName,
  rest: string | undefined,
  after: Buffer,
  refuse: (status: string, why: string) => void,
): void {
  const server = createConnection({ host, port });
  server.setTimeout(PATIENCE_MS, () => server.destroy(new Error("it does not answer")));
  const fail = (error: Error): void =>
    refuse("502 Bad Gateway", `${host}:${port}: ${error.message}`);
  server.once("error", fail);
  server.once("connect", () => {
    server.off("error", fail);
    // A model may take minutes to answer.
    server.setTimeout(0);
    client.setTimeout(0);
    if (rest === undefined) {
      client.write("HTTP/1.1 200 Connection established\r\n\r\n");
      server.write(after.subarray(4));
    } else {
      server.write(rest);
      server.write(after);
    }
    join(client, server);
    client.resume();
  });
}
