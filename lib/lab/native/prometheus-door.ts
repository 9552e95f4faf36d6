/**
 * A read-only proxy in front of the lab's Prometheus. Only the supervisor can reach Prometheus
 * directly, because its admin API is enabled for the snapshots of incidents.
 */
import { forward, onlyHeaders } from "../../base/forward.ts";
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
  return forward(request, {
    url: origin + pathname + search,
    headers: onlyHeaders(request.headers, ["content-type"]),
    body: request.method === "POST" ? request.arrayBuffer() : undefined,
    answered: ["content-type", "location", "cache-control"],
    timeoutMs: TIMEOUT_MS,
    server: "Prometheus",
  });
}
