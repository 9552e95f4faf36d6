/**
 * The four addresses of a restored incident: Prometheus, Loki, Tempo and Grafana. Each pins the
 * time of a query and forwards it to the engine behind it; answers that an engine cannot give come
 * from the record.
 */
import { forward, onlyHeaders } from "../base/forward.ts";
import { underLocalNames } from "../base/host.ts";
import { readsTelemetry } from "../contract/telemetry-api.ts";
import type { PinnedApi, PinnedTime } from "./pinned-time.ts";
import { answerFor } from "./recorded-answers.ts";

const TIMEOUT_MS = 60_000;
const MAX_BODY_BYTES = 1024 * 1024;

export interface DoorOptions {
  readonly api: PinnedApi;
  /** Base URL of the engine. */
  readonly origin: string;
  readonly time: PinnedTime;
  /** Recorded answers of Prometheus by file name. */
  readonly recorded: Readonly<Record<string, unknown>>;
}

/** Opens a door on a free loopback port. */
export function openDoor(options: DoorOptions): Bun.Server<undefined> {
  return Bun.serve({
    hostname: "127.0.0.1",
    port: 0,
    idleTimeout: 120,
    maxRequestBodySize: MAX_BODY_BYTES,
    fetch: underLocalNames((request) => answer(request, options)),
  });
}

async function answer(request: Request, options: DoorOptions): Promise<Response> {
  const { api, recorded } = options;
  const { method } = request;
  const { pathname, searchParams } = new URL(request.url);
  if (!readsTelemetry(api, method, pathname)) {
    return new Response(`${method} ${pathname} is not open: only reading is\n`, { status: 403 });
  }
  const form = await formOf(request);
  if (form === "other") {
    return new Response("A request's content must be a form\n", { status: 415 });
  }
  const params = new URLSearchParams([...(form ?? []), ...searchParams]);
  if (api === "prometheus") {
    const found = answerFor(pathname, params, recorded);
    if (found.kind === "recorded") return Response.json(found.body);
    if (found.kind === "refused") {
      const body = { status: "error", errorType: "unavailable", error: found.why };
      return Response.json(body, { status: 501 });
    }
  }
  return passOn(request, pathname, params, form !== undefined, options);
}

/** The form in a POST; undefined without content. */
async function formOf(request: Request): Promise<URLSearchParams | undefined | "other"> {
  if (request.method !== "POST") return undefined;
  const type = request.headers.get("content-type") ?? "";
  if (type.startsWith("application/x-www-form-urlencoded")) {
    return new URLSearchParams(await request.text());
  }
  return (await request.text()) === "" ? undefined : "other";
}

const DATA_SOURCES: Readonly<Record<string, PinnedApi>> = {
  "uid/prometheus": "prometheus",
  "uid/loki": "loki",
  "uid/tempo": "tempo",
  "1": "prometheus",
  "2": "loki",
  "3": "tempo",
};
const PROXY = /^\/api\/datasources\/proxy\/(uid\/[^/]+|\d+)(\/.*)$/;

/** Grafana forwards requests to its data sources, whose rules apply then. */
function pinned(
  { api, time }: DoorOptions,
  path: string,
  params: URLSearchParams,
): URLSearchParams {
  const [, source = "", rest = ""] = (api === "grafana" ? PROXY.exec(path) : null) ?? [];
  const behind = DATA_SOURCES[source];
  return behind === undefined ? time.pin(api, path, params) : time.pin(behind, rest, params);
}

async function passOn(
  request: Request,
  path: string,
  params: URLSearchParams,
  asForm: boolean,
  options: DoorOptions,
): Promise<Response> {
  const query = pinned(options, path, params).toString();
  const headers = onlyHeaders(request.headers, ["accept", "x-loki-response-encoding-flags"]);
  if (asForm) headers.set("content-type", "application/x-www-form-urlencoded");
  return forward(request, {
    url: options.origin + path + (asForm || query === "" ? "" : `?${query}`),
    headers,
    body: asForm ? query : undefined,
    answered: ["content-type", "content-security-policy", "location"],
    timeoutMs: TIMEOUT_MS,
    server: `The restored ${options.api}`,
  });
}
