/**
 * A read-only proxy in front of the lab's Prometheus. Only the supervisor can reach Prometheus
 * directly, because its admin API is enabled for the snapshots of incidents.
 */
import { messageOf } from "../../base/errors.ts";
import { underLocalNames } from "../../base/host.ts";
import { readsPrometheus } from "../../contract/prometheus-api.ts";

/** Longer than Prometheus' query timeout. */
const TIMEOUT_MS = 130_000;
const MAX_BODY_BYTES = 1024 * 1024;

export interface DoorOptions {
  readonly hostname: string;
  readonly port: number;
  /** Address of Prometheus. */
  readonly origin: string;
}

/** Listens until stopped. */
export function servePrometheusDoor({
  hostname,
  port,
  origin,
}: DoorOptions): Bun.Server<undefined> {
  return Bun.serve({
    hostname,
    port,
    idleTimeout: 255,
    maxRequestBodySize: MAX_BODY_BYTES,
    fetch: underLocalNames((request) => passOn(request, origin)),
  });
}

async function passOn(request: Request, origin: string): Promise<Response> {
  const { pathname, search } = new URL(request.url);
  if (!readsPrometheus(request.method, pathname)) {
    return new Response(`${request.method} ${pathname} is not open: only reading is\n`, {
      status: 403,
    });
  }
  const type = request.headers.get("content-type");
  try {
    const reply = await fetch(origin + pathname + search, {
      method: request.method,
      redirect: "manual",
      headers: type === null ? {} : { "content-type": type },
      ...(request.method === "POST" ? { body: await request.arrayBuffer() } : {}),
      signal: AbortSignal.any([request.signal, AbortSignal.timeout(TIMEOUT_MS)]),
    });
    const headers = new Headers();
    for (const name of ["content-type", "location", "cache-control"]) {
      const value = reply.headers.get(name);
      if (value !== null) headers.set(name, value);
    }
    return new Response(reply.body, { status: reply.status, headers });
  } catch (error) {
    return new Response(`Prometheus does not answer: ${messageOf(error)}\n`, { status: 502 });
  }
}
