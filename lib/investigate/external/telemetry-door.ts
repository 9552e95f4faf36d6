/** Forwards an agent's read-only requests to Prometheus, Loki, Tempo and Grafana. */
import { forward, onlyHeaders } from "../../base/forward.ts";
import { readsTelemetry, type TelemetryApi } from "../../contract/telemetry-api.ts";
import type { TelemetryUrls } from "../investigator.ts";

/** Milliseconds; the engines limit a query to the same time. */
const PATIENCE_MS = 60_000;
/** The headers that affect an engine's answer; no others are forwarded. */
const PASSED = ["accept", "content-type", "x-loki-response-encoding-flags"];

/** Answers a request for `path` of `api`. */
export async function readThrough(
  urls: TelemetryUrls,
  api: TelemetryApi,
  path: string,
  request: Request,
): Promise<Response> {
  if (!readsTelemetry(api, request.method, path)) {
    return new Response(`${request.method} ${path} is not open: only reading is\n`, {
      status: 403,
    });
  }
  return forward(request, {
    url: urls[api] + path + new URL(request.url).search,
    headers: onlyHeaders(request.headers, PASSED),
    body: request.method === "POST" ? request.arrayBuffer() : undefined,
    answered: ["content-type"],
    timeoutMs: PATIENCE_MS,
    server: api,
  });
}
