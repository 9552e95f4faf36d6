/** Forwards an agent's read-only requests to Prometheus, Loki, Tempo and Grafana. */
import { messageOf } from "../../base/errors.ts";
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
  const headers = new Headers();
  for (const name of PASSED) {
    const value = request.headers.get(name);
    if (value !== null) headers.set(name, value);
  }
  try {
    const reply = await fetch(urls[api] + path + new URL(request.url).search, {
      method: request.method,
      headers,
      redirect: "manual",
      ...(request.method === "POST" ? { body: await request.arrayBuffer() } : {}),
      signal: AbortSignal.any([request.signal, AbortSignal.timeout(PATIENCE_MS)]),
    });
    const type = reply.headers.get("content-type");
    return new Response(reply.body, {
      status: reply.status,
      headers: type === null ? {} : { "content-type": type },
    });
  } catch (error) {
    return new Response(`${api} does not answer: ${messageOf(error)}\n`, { status: 502 });
  }
}
