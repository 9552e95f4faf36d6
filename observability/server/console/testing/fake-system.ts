/** A simulated system with the APIs that the page reads, and data that a test sets. */
import { Hono } from "hono";
import { ALERT_RULES_FILE, parseAlertRules } from "../../../../lib/contract/alert-rules.ts";
import { SERVICES } from "../../../../lib/contract/topology.ts";
import { markerApp, type MarkerStore } from "../../markers.ts";
import { consoleApp } from "../app.ts";

export const TRACE = "0af7651916cd43dd8448eb211c80319c";
export const HOSTILE = '<img src=x onerror="document.title=1">';
export const OWNER = "owner-token";

/** State of the simulated system. */
export const system = { exited: "", alert: false, line: "service_starting" };
/** The last queries it received. */
export const asked = { logql: "", traceql: "" };

/** Time of the first appearance of each line. */
const logged = new Map<string, string>();

export function fakeApi(markers: MarkerStore): Hono {
  const app = new Hono();
  const proxy = "/api/datasources/proxy/uid";
  const seconds = (): number => performance.timeOrigin / 1000 + performance.now() / 1000;
  app.get(`${proxy}/prometheus/api/v1/query`, (c) => {
    const query = c.req.query("query") ?? "";
    const row = (metric: object, value: string) => ({ metric, value: [seconds(), value] });
    const result = query.startsWith("container_state")
      ? SERVICES.map((name) =>
          row({ name, state: name === system.exited ? "exited" : "running" }, "1"),
        )
      : query.startsWith("up")
        ? SERVICES.map((name) =>
            row({ instance: `${name}:9100` }, name === system.exited ? "0" : "1"),
          )
        : [row({ instance: "radar-sensor:9101" }, "28.5")];
    return c.json({ status: "success", data: { resultType: "vector", result } });
  });
  app.get(`${proxy}/prometheus/api/v1/query_range`, (c) => {
    const end = Number(c.req.query("end"));
    const values = [
      [end - 10, "1"],
      [end - 5, "2"],
      [end, "3"],
    ];
    return c.json({
      status: "success",
      data: { result: [{ metric: { sensor_id: "RADAR-1" }, values }] },
    });
  });
  app.get("/api/prometheus/grafana/api/v1/alerts", (c) => {
    const one = {
      labels: { alertname: "Sensor down" },
      annotations: { description: HOSTILE },
      state: "Alerting",
      activeAt: "2026-01-01T00:00:00Z",
    };
    return c.json({ status: "success", data: { alerts: system.alert ? [one] : [] } });
  });
  app.get(`${proxy}/loki/loki/api/v1/query_range`, (c) => {
    asked.logql = c.req.query("query") ?? "";
    if (!logged.has(system.line)) logged.set(system.line, c.req.query("end") ?? "");
    const values = [...logged].map(([event, at]) => [
      at,
      JSON.stringify({ event, level: "INFO", note: HOSTILE, trace_id: TRACE }),
    ]);
    const result = [{ stream: { service_name: "eo-sensor" }, values }];
    return c.json({ status: "success", data: { resultType: "streams", result } });
  });
  app.get(`${proxy}/tempo/api/search`, (c) => {
    asked.traceql = c.req.query("q") ?? "";
    if (asked.traceql === "{") return c.text("parse error", 400);
    const found = {
      traceID: TRACE,
      rootServiceName: "eo-sensor",
      rootTraceName: HOSTILE,
      startTimeUnixNano: "1767225600000000000",
      durationMs: 4,
    };
    return c.json({ traces: asked.traceql.includes("nothing") ? [] : [found] });
  });
  app.get(`${proxy}/tempo/api/traces/${TRACE}`, (c) => {
    const span = (spanId: string, parentSpanId: string, name: string) => ({
      spanId,
      parentSpanId,
      name,
      startTimeUnixNano: "1767225600000000000",
      endTimeUnixNano: "1767225600004000000",
    });
    const batch = (service: string, spans: object[]) => ({
      resource: { attributes: [{ key: "service.name", value: { stringValue: service } }] },
      scopeSpans: [{ spans }],
    });
    return c.json({
      batches: [
        batch("eo-sensor", [span("a", "", "sensor.scan.EO-3")]),
        batch("track-fusion", [span("b", "a", "fusion.ingest")]),
      ],
    });
  });
  const rules = parseAlertRules(rulesText);
  app.route("/", markerApp(markers, OWNER));
  return app.route("/", consoleApp({ rules }));
}

const rulesText = await Bun.file(
  new URL(`../../../../${ALERT_RULES_FILE}`, import.meta.url).pathname,
).text();
