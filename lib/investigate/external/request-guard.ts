/**
 * Guards every door of an examination: a token in the URL, local host names only, bodies of limited
 * size and time, a limited number of concurrent requests. Refusals are recorded.
 */
import { systemClock } from "../../base/clock.ts";
import { underLocalNames } from "../../base/host.ts";

const MAX_BODY_BYTES = 512 * 1024;
/** Milliseconds for a body to come, unless the caller says otherwise. */
const BODY_PATIENCE_MS = 10_000;
/** Maximum concurrent requests; a tool's answer has about 100 kB. */
const MAX_AT_ONCE = 32;
/** Maximum number of refusals that are noted individually. */
const MAX_NOTED = 50;
/** Seconds without data after which a connection is closed; longer than a query may take. */
const IDLE_SECONDS = 90;
/** Milliseconds to send the last answers when the doors close. */
const LEAVE_MS = 500;

/** Handles a request whose body has been read; its URL is without the token. */
export type Behind = (request: Request, path: string) => Response | Promise<Response>;

export interface GuardOptions {
  readonly hostname?: string;
  /** 0 for a free port. */
  readonly port?: number;
  readonly note: (line: string) => void;
  readonly bodyPatienceMs?: number;
}

export interface Guarded extends AsyncDisposable {
  readonly hostname: string;
  readonly port: number;
  /** The address with its token, without a trailing slash. */
  readonly url: string;
  /** Number of refused requests. */
  readonly refused: () => number;
}

/** Listens, and passes valid requests to `behind`. */
export function guard(
  behind: Behind,
  { hostname = "127.0.0.1", port = 0, note, bodyPatienceMs = BODY_PATIENCE_MS }: GuardOptions,
): Guarded {
  const token = crypto.randomUUID().replaceAll("-", "");
  let [refused, atOnce] = [0, 0];
  const handle = async (request: Request): Promise<Response> => {
    if (atOnce >= MAX_AT_ONCE)
      return new Response("too many requests at a time\n", { status: 429 });
    atOnce++;
    try {
      const url = new URL(request.url);
      const [, given, path = "/"] = /^\/([^/]*)(\/.*)?$/.exec(url.pathname) ?? [];
      if (given !== token) return new Response("the token in the URL is wrong\n", { status: 403 });
      const body = await bodyOf(request, bodyPatienceMs);
      if (body instanceof Response) return body;
      return await behind(
        new Request(`http://door${path}${url.search}`, {
          method: request.method,
          headers: request.headers,
          ...(body.length === 0 ? {} : { body }),
        }),
        path,
      );
    } finally {
      atOnce--;
    }
  };
  const local = underLocalNames(handle);
  const server = Bun.serve({
    hostname,
    port,
    idleTimeout: IDLE_SECONDS,
    maxRequestBodySize: MAX_BODY_BYTES,
    fetch: async (request) => {
      const response = await local(request);
      if ([403, 408, 413, 429].includes(response.status)) {
        refused++;
        const { pathname } = new URL(request.url);
        const shown = pathname.replace(`/${token}`, "").slice(0, 200);
        if (refused <= MAX_NOTED) {
          note(`refused at the door: ${request.method} ${shown} (${response.status})`);
        }
      }
      return response;
    },
    error: (error) => new Response(`the door failed: ${error.message}\n`, { status: 500 }),
  });
  const bound = server.port ?? port;
  return {
    hostname,
    port: bound,
    url: `http://${hostname}:${bound}/${token}`,
    refused: () => refused,
    // Clients that read no answer or send no body must not keep the doors open.
    [Symbol.asyncDispose]: async () => {
      const lastMs = performance.now() + LEAVE_MS;
      while (server.pendingRequests > 0 && performance.now() < lastMs) await systemClock.sleep(10);
      void server.stop(true);
    },
  };
}

/** The body of a request, or the answer to one whose body is too large or too slow. */
async function bodyOf(
  request: Request,
  patienceMs: number,
): Promise<Uint8Array<ArrayBuffer> | Response> {
  const reader = request.body?.getReader();
  if (reader === undefined) return new Uint8Array();
  const parts: Uint8Array[] = [];
  let size = 0;
  let isLate = false;
  const timer = setTimeout(() => {
    isLate = true;
    void reader.cancel().catch(() => undefined);
  }, patienceMs);
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (isLate) return new Response("the body did not come in time\n", { status: 408 });
      if (done) return Buffer.concat(parts);
      size += value.length;
      if (size > MAX_BODY_BYTES) {
        void reader.cancel().catch(() => undefined);
        return new Response(`a body must have at most ${MAX_BODY_BYTES} bytes\n`, { status: 413 });
      }
      parts.push(value);
    }
  } finally {
    clearTimeout(timer);
  }
}
