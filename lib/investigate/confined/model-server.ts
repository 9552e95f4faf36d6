/** Connects a confined program with its model server. */
import { createConnectProxy } from "../../sandbox/connect-proxy.ts";
import type { Door } from "../../sandbox/room/room.ts";

/** Address of the proxy in the program's network. */
const PROXY = { host: "127.0.0.1", port: 3128 } as const;

const portOf = ({ port, protocol }: URL): number =>
  port === "" ? (protocol === "https:" ? 443 : 80) : Number(port);

const isLoopback = ({ hostname }: URL): boolean =>
  hostname === "localhost" || hostname === "[::1]" || hostname.startsWith("127.");

/** Doors to the model server, and the variables that tell programs their addresses. */
export function wayTo(
  model: URL | undefined,
  note: (line: string) => void,
): { readonly doors: readonly Door[]; readonly env: Readonly<Record<string, string>> } {
  if (model === undefined) return { doors: [], env: {} };
  const server = { host: model.hostname.replaceAll(/^\[|\]$/g, ""), port: portOf(model) };
  const proxy = createConnectProxy(server, (what) => note(`refused at the proxy: ${what}`));
  const url = `http://${PROXY.host}:${PROXY.port}`;
  const local = "127.0.0.1,127.0.0.2,localhost";
  return {
    doors: [
      { ...PROXY, to: proxy },
      // Programs use no proxy for a server on their own machine.
      ...(isLoopback(model) ? [{ host: "127.0.0.1", port: server.port, to: server }] : []),
    ],
    env: {
      ...Object.fromEntries(
        ["HTTPS_PROXY", "https_proxy", "HTTP_PROXY", "http_proxy"].map((name) => [name, url]),
      ),
      NO_PROXY: local,
      no_proxy: local,
    },
  };
}
