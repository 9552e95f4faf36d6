/**
 * Checks the Host and Origin headers of HTTP requests. A page on the Internet can let its own name
 * point to this machine (DNS rebinding) and then read what a browser here may read; the header
 * still has that name. It can also send requests to this machine's own names without reading the
 * answers; their Origin is the page's.
 */
import { isIP } from "node:net";

type Handler = (request: Request) => Response | Promise<Response>;

/**
 * Wraps `handle`: refuses a request whose Host is a name that can be registered on the Internet, or
 * whose Origin is a page elsewhere.
 */
export function underLocalNames(handle: Handler): Handler {
  return (request) => {
    const host = request.headers.get("host") ?? "";
    const origin = request.headers.get("origin");
    if (origin !== null && !isLocalOrigin(origin)) {
      return new Response(
        `Cannot answer a page of ${JSON.stringify(origin)}: it must come from this machine\n`,
        { status: 403 },
      );
    }
    if (isLocalName(host)) return handle(request);
    return new Response(
      `Cannot answer for host ${JSON.stringify(host)}: it must be an address, localhost or a name without a dot\n`,
      { status: 403 },
    );
  };
}

/**
 * Whether nobody can register the name: it is an address, a single label, or in a reserved domain.
 */
export function isLocalName(host: string): boolean {
  const name = host
    .replace(/:\d*$/, "")
    .replace(/\.$/, "")
    .replaceAll(/^\[|\]$/g, "")
    .toLowerCase();
  return isIP(name) !== 0 || !name.includes(".") || /\.(localhost|internal)$/.test(name);
}

/** Whether the origin is a page of this machine. `null` is not: any page can have it. */
export function isLocalOrigin(origin: string): boolean {
  const url = URL.parse(origin);
  return url !== null && /^https?:$/.test(url.protocol) && isLocalName(url.host);
}
