/**
 * Checks the Host header of HTTP requests. A page on the Internet can let its own name point to this
 * machine (DNS rebinding) and then read what a browser here may read; the header still has that name.
 */
import { isIP } from "node:net";

type Handler = (request: Request) => Response | Promise<Response>;

/** Wraps `handle`: a request under a name that somebody on the Internet may own is refused. */
export function underLocalNames(handle: Handler): Handler {
  return (request) => {
    const host = request.headers.get("host") ?? "";
    if (isLocalName(host)) return handle(request);
    return new Response(
      `Cannot answer for host ${JSON.stringify(host)}: it must be an address, localhost or a name without a dot\n`,
      { status: 403 },
    );
  };
}

/** Whether nobody can register the name: an address, a single label, or a reserved domain. */
export function isLocalName(host: string): boolean {
  const name = host
    .replace(/:\d*$/, "")
    .replace(/\.$/, "")
    .replaceAll(/^\[|\]$/g, "")
    .toLowerCase();
  return isIP(name) !== 0 || !name.includes(".") || /\.(localhost|internal)$/.test(name);
}
