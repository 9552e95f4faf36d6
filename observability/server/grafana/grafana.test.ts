import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { ALERT_RULES_FILE, parseAlertRules } from "../../../lib/contract/alert-rules.ts";
import { NOW_MS, OWNER_TOKEN, TestServer } from "../testing/server.ts";

/** A simulated Prometheus: returns what a test sets, and records its requests. */
class FakePrometheus {
  state: "inactive" | "pending" | "firing" = "inactive";
  readonly asked: string[] = [];
  readonly #server = Bun.serve({
    hostname: "127.0.0.1",
    port: 0,
    fetch: async (request) => {
      const url = new URL(request.url);
      this.asked.push(
        `${request.method} ${url.pathname}${url.search} ${await request.text()}`.trim(),
      );
      if (url.pathname !== "/api/v1/rules")
        return Response.json({ status: "success", data: url.pathname });
      const alerts =
        this.state === "inactive"
          ? []
          : [
              {
                labels: {
                  alertname: "Sensor down",
                  instance: "radar-sensor:9101",
                  severity: "critical",
                },
                annotations: { summary: "s" },
                state: this.state,
                activeAt: "2026-01-02T03:03:00Z",
                value: "1e+00",
              },
            ];
      const rule = {
        name: "Sensor down",
        state: this.state,
        query: "x",
        health: "ok",
        lastEvaluation: "2026-01-02T03:04:00Z",
        evaluationTime: 0.001,
        type: "alerting",
        alerts,
      };
      return Response.json({
        status: "success",
        data: { groups: [{ name: "cms", rules: [rule] }] },
      });
    },
  });

  get url(): string {
    return `http://127.0.0.1:${this.#server.port}`;
  }

  async stop(): Promise<void> {
    await this.#server.stop(true);
  }
}

const prometheus = new FakePrometheus();
let lab: TestServer;
beforeAll(async () => {
  lab = await TestServer.start(prometheus.url);
  await lab.pushLogs([{ body: "hello", at: -5 }]);
});
afterAll(async () => {
  await lab[Symbol.asyncDispose]();
  await prometheus.stop();
});
const get = async (path: string, params: Record<string, string> = {}) => {
  const reply = await lab.get("console", path, params);
  expect(reply.status).toBe(200);
  return reply.json() as unknown;
};

describe("data sources", () => {
  test("are listed with uid, name, type and isDefault, and found one by one", async () => {
    const all = (await get("/api/datasources")) as { uid: string }[];
    expect(all).toMatchObject([
      { uid: "prometheus", name: "Prometheus", type: "prometheus", isDefault: true },
      { uid: "loki", name: "Loki", type: "loki", isDefault: false },
      { uid: "tempo", name: "Tempo", type: "tempo", isDefault: false },
    ]);
    expect(await get("/api/datasources/uid/loki")).toMatchObject({ uid: "loki" });
    expect((await lab.get("console", "/api/datasources/uid/none")).status).toBe(404);
    expect(await get("/api/health")).toMatchObject({ database: "ok" });
  });

  test("the proxy reaches all three, by GET and POST", async () => {
    const loki = await get("/api/datasources/proxy/uid/loki/loki/api/v1/query_range", {
      query: '{service_name=~".+"}',
    });
    expect(JSON.stringify(loki)).toContain("hello");
    const posted = await lab.get(
      "console",
      "/api/datasources/proxy/uid/loki/loki/api/v1/query_range",
      {},
      {
        method: "POST",
        body: new URLSearchParams({ query: '{service_name=~".+"}' }),
      },
    );
    expect(posted.text).toContain("hello");
    expect(await get("/api/datasources/proxy/uid/tempo/api/search", { q: "{}" })).toMatchObject({
      traces: [],
    });
    expect(
      (
        await lab.get("console", "/api/datasources/proxy/uid/loki/loki/api/v1/query_range", {
          query: "{",
        })
      ).status,
    ).toBe(400);
    await get("/api/datasources/proxy/uid/prometheus/api/v1/query", { query: "up > 0" });
    expect(prometheus.asked).toContain("GET /api/v1/query?query=up+%3E+0");
    await lab.get(
      "console",
      "/api/datasources/proxy/1/api/v1/query",
      {},
      { method: "POST", body: new URLSearchParams({ query: "up" }) },
    );
    expect(prometheus.asked).toContain("POST /api/v1/query query=up");
  });

  test.each([
    ["DELETE", "/api/datasources/proxy/uid/loki/loki/api/v1/labels", 403],
    ["POST", "/api/datasources/proxy/uid/loki/otlp/v1/logs", 403],
    ["POST", "/api/datasources/proxy/2/otlp/v1/logs", 403],
    ["POST", "/api/datasources/proxy/uid/prometheus/api/v1/write", 403],
    ["POST", "/api/datasources/proxy/uid/prometheus/api/v1/otlp/v1/metrics", 403],
    ["POST", "/api/datasources/proxy/uid/tempo/v1/traces", 403],
    ["GET", "/api/datasources/proxy/uid/other/x", 404],
    ["POST", "/api/datasources/proxy/uid/prometheus/-/quit", 403],
    ["POST", "/api/datasources/proxy/uid/prometheus/api/v1/admin/tsdb/delete_series", 403],
    ["POST", "/api/datasources/proxy/uid/prometheus/api/v1/%2e%2e/%2e%2e/-/quit", 403],
  ])("refuses %s %s", async (method, path, status) => {
    expect((await lab.get("console", path, {}, { method })).status).toBe(status);
    expect(prometheus.asked.filter((one) => one.includes("quit") || one.includes("admin"))).toEqual(
      [],
    );
  });
});

describe("alerts", async () => {
  const uids = parseAlertRules(await Bun.file(ALERT_RULES_FILE).text()).map(({ uid }) => uid);

  test("the ruler lists every rule of the file, with its uid, under its folder", async () => {
    const ruler = (await get("/api/ruler/grafana/api/v1/rules")) as Record<
      string,
      { rules: { grafana_alert: { uid: string; title: string } }[] }[]
    >;
    expect(Object.keys(ruler)).toEqual(["CMS"]);
    expect(ruler["CMS"]?.[0]?.rules.map(({ grafana_alert: { uid } }) => uid)).toEqual(uids);
  });

  test("provisioned rules and their folder are listed", async () => {
    const rules = (await get("/api/v1/provisioning/alert-rules")) as { uid: string }[];
    expect(rules.map(({ uid }) => uid)).toEqual(uids);
    expect(rules[0]).toMatchObject({
      title: "Sensor down",
      folderUID: "cms",
      for: "30s",
      ruleGroup: "cms",
    });
    expect(await get("/api/folders")).toEqual([{ id: 1, uid: "cms", title: "CMS" }]);
  });

  test("pending, firing and resolved are shown in Grafana's shapes", async () => {
    const rules = () =>
      get("/api/prometheus/grafana/api/v1/rules") as Promise<{
        data: { groups: { rules: { state: string; name: string; alerts: unknown[] }[] }[] };
      }>;
    const alerts = () =>
      get("/api/prometheus/grafana/api/v1/alerts") as Promise<{ data: { alerts: unknown[] } }>;
    const managed = () => get("/api/alertmanager/grafana/api/v2/alerts");
    expect((await rules()).data.groups[0]?.rules[0]).toMatchObject({
      uid: "sensor-down",
      state: "inactive",
      alerts: [],
      type: "alerting",
    });
    expect(await managed()).toEqual([]);

    prometheus.state = "pending";
    expect((await alerts()).data.alerts).toMatchObject([
      {
        state: "Pending",
        labels: { alertname: "Sensor down", grafana_folder: "CMS" },
        activeAt: "2026-01-02T03:03:00Z",
      },
    ]);
    expect(await managed()).toEqual([]);

    prometheus.state = "firing";
    expect((await rules()).data.groups[0]?.rules[0]).toMatchObject({
      state: "firing",
      alerts: [{ state: "Alerting" }],
    });
    expect(await managed()).toMatchObject([
      {
        status: { state: "active" },
        startsAt: new Date(NOW_MS).toISOString(),
        labels: { instance: "radar-sensor:9101", __alert_rule_uid__: "sensor-down" },
      },
    ]);

    prometheus.state = "inactive";
    lab.clock.advance(60_000);
    expect(await managed()).toMatchObject([
      { status: { state: "resolved" }, endsAt: new Date(NOW_MS + 60_000).toISOString() },
    ]);
    lab.clock.advance(6 * 60_000);
    expect(await managed()).toEqual([]);
  });

  test("a Prometheus that is gone is a 502 that says so, and all else goes on", async () => {
    await using alone = await TestServer.start("http://127.0.0.1:9");
    const reply = await alone.get("console", "/api/prometheus/grafana/api/v1/alerts");
    expect([reply.status, reply.text]).toEqual([
      502,
      expect.stringContaining("Cannot ask http://127.0.0.1:9/api/v1/rules"),
    ]);
    expect((await alone.get("console", "/api/ruler/grafana/api/v1/rules")).status).toBe(200);
  });
});

describe("the owner's markers", () => {
  const owner = { authorization: `Bearer ${OWNER_TOKEN}` };
  const add = (body: unknown, headers: Record<string, string> = owner) =>
    lab.get(
      "console",
      "/owner/markers",
      {},
      { method: "POST", headers, body: JSON.stringify(body) },
    );

  test("are kept for the owner and shown to nobody else", async () => {
    expect((await add({ time: 2, kind: "fault", text: "secret-fault" })).status).toBe(201);
    expect((await add({ time: 1, endTime: 5, kind: "investigation", text: "run" })).status).toBe(
      201,
    );
    const reply = await lab.get("console", "/owner/markers", {}, { headers: owner });
    expect(JSON.parse(reply.text)).toEqual([
      { time: 1, endTime: 5, kind: "investigation", text: "run" },
      { time: 2, kind: "fault", text: "secret-fault" },
    ]);
    for (const [headers, status] of [
      [{}, 401],
      [{ authorization: "Bearer wrong" }, 401],
      [{ authorization: OWNER_TOKEN }, 400],
      [{ authorization: "Bearer " }, 400],
    ] as const) {
      const refused = await lab.get("console", "/owner/markers", {}, { headers });
      expect([refused.status, refused.text]).toEqual([status, expect.stringContaining("token")]);
      const note = await add({ time: 1, kind: "note", text: "x" }, { ...headers });
      expect(note.status).toBe(status);
    }
    for (const path of [
      "/api/annotations",
      "/metrics",
      "/otlp/metrics",
      "/api/search",
      "/api/ruler/grafana/api/v1/rules",
    ]) {
      expect((await lab.get("console", path)).text).not.toContain("secret-fault");
    }
  });

  test.each([
    [{}],
    [{ time: -1, kind: "fault", text: "x" }],
    [{ time: 1, kind: "other", text: "x" }],
    [{ time: 1, kind: "fault", text: "" }],
    [{ time: 1, kind: "fault", text: "x", more: 1 }],
    ["text"],
  ])("refuses %p", async (body) => {
    const reply = await add(body);
    expect([reply.status, reply.text]).toEqual([400, expect.stringContaining("not a marker")]);
  });
});

test("only the OTLP port takes telemetry, and from no page of another origin", async () => {
  const body = JSON.stringify({
    resourceLogs: [{ scopeLogs: [{ logRecords: [{ body: { stringValue: "smuggled in" } }] }] }],
  });
  const post = (surface: "console" | "loki" | "tempo" | "otlpHttp", path: string, type: string) =>
    lab.get(surface, path, {}, { method: "POST", body, headers: { "content-type": type } });
  const { stats } = lab.server.store;
  lab.server.store.flush();
  const before = stats.logs;
  const json = "application/json";
  for (const [surface, path] of [
    ["loki", "/otlp/v1/logs"],
    ["loki", "/v1/logs"],
    ["loki", "/loki/api/v1/push"],
    ["tempo", "/v1/logs"],
    ["console", "/v1/logs"],
    ["console", "/otlp/v1/logs"],
    ["console", "/api/datasources/proxy/uid/loki/otlp/v1/logs"],
    ["console", "/api/datasources/proxy/2/otlp/v1/logs"],
    ["console", "/api/datasources/proxy/uid/loki/loki/api/v1/push"],
  ] as const) {
    const refusal = path.includes("/proxy/") ? 403 : 404;
    expect([path, (await post(surface, path, json)).status]).toEqual([path, refusal]);
  }
  // Content types that a page can send without a preflight request.
  for (const type of ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data"]) {
    expect((await post("otlpHttp", "/v1/logs", type)).status).toBe(415);
  }
  const preflight = await fetch(`${lab.url("otlpHttp")}/v1/logs`, {
    method: "OPTIONS",
    headers: { origin: "https://evil.example", "access-control-request-method": "POST" },
  });
  expect(preflight.headers.get("access-control-allow-origin")).toBeNull();
  lab.server.store.flush();
  expect(stats.logs).toBe(before);
  expect((await post("otlpHttp", "/v1/logs", json)).status).toBe(200);
  lab.server.store.flush();
  expect(stats.logs).toBe(before + 1);
});

test.each(["console", "loki", "tempo", "otlpHttp"] as const)(
  "%s does not answer under a name that the Internet may own",
  async (surface) => {
    const path = { console: "/", loki: "/ready", tempo: "/ready", otlpHttp: "/" }[surface];
    const reply = await lab.get(surface, path, {}, { headers: { host: "evil.example" } });
    expect([reply.status, reply.text]).toEqual([403, expect.stringContaining("evil.example")]);
  },
);
