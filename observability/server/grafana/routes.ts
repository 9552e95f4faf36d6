/**
 * The part of Grafana's HTTP API that agents read: health, data sources and their proxy, alert
 * rules, alerts.
 *
 * The Loki and Tempo data sources are answered in this process; requests for Prometheus are
 * forwarded over HTTP.
 */
import { Hono } from "hono";
import type { Clock } from "../../../lib/base/clock.ts";
import { EnvironmentError } from "../../../lib/base/errors.ts";
import type { AlertRule } from "../../../lib/contract/alert-rules.ts";
import { readsTelemetry } from "../../../lib/contract/telemetry-api.ts";
import {
  AlertBook,
  alertsResponse,
  askPrometheus,
  foldersResponse,
  prometheusRules,
  provisionedResponse,
  rulerResponse,
  rulesResponse,
} from "./rules.ts";

export interface GrafanaDeps {
  readonly clock: Clock;
  readonly prometheusUrl: string;
  readonly rules: readonly AlertRule[];
  readonly loki: Hono;
  readonly tempo: Hono;
}

const SOURCES = [
  { id: 1, uid: "prometheus", name: "Prometheus", type: "prometheus", isDefault: true },
  { id: 2, uid: "loki", name: "Loki", type: "loki", isDefault: false },
  { id: 3, uid: "tempo", name: "Tempo", type: "tempo", isDefault: false },
] as const;

const PROXY_TIMEOUT_MS = 30_000;
/** Poll interval for alerts, so that resolved ones are noticed without requests. */
const WATCH_EVERY_MS = 5000;

/** The routes under `/api`. The returned `stop` ends the polling. */
export function grafanaApp(deps: GrafanaDeps): { app: Hono; stop: () => void } {
  const app = new Hono();
  const book = new AlertBook();
  const live = () => prometheusRules(deps.prometheusUrl);
  const managed = async (): Promise<unknown[]> =>
    book.update(deps.rules, await live(), deps.clock.nowMs());
  const timer = setInterval(() => {
    // Prometheus may not be running: the next poll tries again.
    managed().catch(() => undefined);
  }, WATCH_EVERY_MS);
  timer.unref();

  app.get("/api/health", (c) => c.json({ commit: "embedded", database: "ok", version: "11.0.0" }));
  app.get("/api/datasources", (c) => c.json(SOURCES.map((source) => sourceJson(source, deps))));
  app.get("/api/datasources/uid/:uid", (c) => {
    const source = SOURCES.find(({ uid }) => uid === c.req.param("uid"));
    if (source === undefined) return c.json({ message: "Data source not found" }, 404);
    return c.json(sourceJson(source, deps));
  });
  app.get("/api/datasources/uid/:uid/health", (c) =>
    c.json({ status: "OK", message: "Data source is working" }),
  );
  app.all("/api/datasources/proxy/uid/:uid/*", (c) =>
    proxy(c.req.raw, c.req.param("uid"), "uid", deps),
  );
  app.all("/api/datasources/proxy/:id/*", (c) => {
    const source = SOURCES.find(({ id }) => String(id) === c.req.param("id"));
    return proxy(c.req.raw, source?.uid ?? "", "", deps);
  });

  app.get("/api/ruler/grafana/api/v1/rules", (c) => c.json(rulerResponse(deps.rules)));
  app.get("/api/prometheus/grafana/api/v1/rules", async (c) =>
    c.json(rulesResponse(deps.rules, await live()) as object),
  );
  app.get("/api/prometheus/grafana/api/v1/alerts", async (c) =>
    c.json(alertsResponse(deps.rules, await live()) as object),
  );
  app.get("/api/alertmanager/grafana/api/v2/alerts", async (c) => c.json(await managed()));
  app.get("/api/v1/provisioning/alert-rules", (c) => c.json(provisionedResponse(deps.rules)));
  app.get("/api/folders", (c) => c.json(foldersResponse(deps.rules)));
  // Grafana's annotations would show when a fault was injected, so this list is always empty.
  app.get("/api/annotations", (c) => c.json([]));
  app.get("/api/org", (c) => c.json({ id: 1, name: "Main Org." }));
  app.get("/api/search", (c) => c.json([]));
  app.onError((error, c) => {
    if (!(error instanceof EnvironmentError)) throw error;
    return c.json({ message: error.message }, 502);
  });
  return { app, stop: () => clearInterval(timer) };
}

function sourceJson(source: (typeof SOURCES)[number], { prometheusUrl }: GrafanaDeps): object {
  const url = source.uid === "prometheus" ? prometheusUrl : `embedded:${source.uid}`;
  return {
    ...source,
    orgId: 1,
    typeName: source.name,
    access: "proxy",
    url,
    basicAuth: false,
    jsonData: {},
    readOnly: true,
  };
}

/** Forwards a read-only request to a data source; data sources have no login. */
async function proxy(
  request: Request,
  uid: string,
  prefix: string,
  deps: GrafanaDeps,
): Promise<Response> {
  const url = new URL(request.url);
  const head =
    prefix === "uid"
      ? /^\/api\/datasources\/proxy\/uid\/[^/]+/
      : /^\/api\/datasources\/proxy\/[^/]+/;
  const path = url.pathname.replace(head, "") + url.search;
  const source = SOURCES.find((one) => one.uid === uid);
  if (source === undefined) {
    return Response.json({ message: "Data source not found" }, { status: 404 });
  }
  if (!readsTelemetry(source.uid, request.method, url.pathname.replace(head, ""))) {
    const what = `${request.method} ${url.pathname}`;
    return Response.json({ message: `${what} is not passed on: only reading is` }, { status: 403 });
  }
  if (uid === "loki" || uid === "tempo") {
    const init = {
      method: request.method,
      headers: request.headers,
      ...(request.method === "POST" ? { body: await request.arrayBuffer() } : {}),
    };
    return await deps[uid].fetch(new Request(`http://embedded${path}`, init));
  }
  const type = request.headers.get("content-type");
  const reply = await askPrometheus(deps.prometheusUrl, path, {
    method: request.method,
    ...(request.method === "POST" ? { body: await request.arrayBuffer() } : {}),
    headers: type === null ? {} : { "content-type": type },
    signal: AbortSignal.timeout(PROXY_TIMEOUT_MS),
  });
  return new Response(reply.body, {
    status: reply.status,
    headers: { "content-type": reply.headers.get("content-type") ?? "application/json" },
  });
}
