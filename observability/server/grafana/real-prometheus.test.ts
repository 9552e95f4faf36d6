import { describe, expect, test } from "bun:test";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { waitUntil } from "../../../lib/base/wait.ts";
import { TestServer } from "../testing/server.ts";

/** A free port of this machine. */
function freePort(): number {
  const server = Bun.listen({ hostname: "127.0.0.1", port: 0, socket: { data: () => undefined } });
  const { port } = server;
  server.stop(true);
  return port;
}

interface Alerts {
  readonly data: {
    readonly alerts: { readonly state: string; readonly labels: Record<string, string> }[];
  };
}

describe("with a real Prometheus", () => {
  test("a rule that fires there is shown as Alerting here, and pushed metrics can be scraped", async () => {
    const folder = mkdtempSync(join(tmpdir(), "real-prometheus-"));
    const port = freePort();
    const url = `http://127.0.0.1:${port}`;
    await using lab = await TestServer.start(url);
    const rules =
      "groups: [{name: cms, rules: [{alert: Sensor down, expr: vector(1), labels: {severity: critical}}, {alert: Sensor flood, expr: vector(1), for: 1h}]}]";
    writeFileSync(join(folder, "rules.yaml"), rules);
    writeFileSync(
      join(folder, "prometheus.yaml"),
      `global: {scrape_interval: 1s, evaluation_interval: 1s}
rule_files: [rules.yaml]
scrape_configs:
  - job_name: otlp
    honor_labels: true
    metrics_path: /otlp/metrics
    static_configs: [{targets: ["127.0.0.1:${lab.server.ports.console}"]}]`,
    );
    const argv = [
      `--config.file=${folder}/prometheus.yaml`,
      `--storage.tsdb.path=${folder}/data`,
      `--web.listen-address=127.0.0.1:${port}`,
    ];
    const prometheus = Bun.spawn(["prometheus", ...argv], {
      stdout: "ignore",
      stderr: "ignore",
      timeout: 60_000,
    });
    try {
      const pushed = {
        resourceMetrics: [
          {
            resource: {
              attributes: [{ key: "service.name", value: { stringValue: "track-fusion" } }],
            },
            scopeMetrics: [
              {
                metrics: [
                  { name: "cms_fusion_queue_depth", gauge: { dataPoints: [{ asInt: "7" }] } },
                ],
              },
            ],
          },
        ],
      };
      await lab.get(
        "otlpHttp",
        "/v1/metrics",
        {},
        {
          method: "POST",
          headers: { "content-type": "application/json" },
          body: JSON.stringify(pushed),
        },
      );
      await waitUntil(
        async () => {
          const reply = await lab.get("console", "/api/prometheus/grafana/api/v1/alerts");
          const { alerts } = (reply.json() as unknown as Alerts).data;
          const seen = alerts
            .map(({ state, labels }) => `${labels["alertname"]} ${state}`)
            .toSorted((a, b) => a.localeCompare(b));
          return {
            ok: seen.join() === "Sensor down Alerting,Sensor flood Pending",
            seen: seen.join(),
          };
        },
        { what: "one alert firing and one pending", deadlineMs: 60_000 },
      );
      const managed = await lab.get("console", "/api/alertmanager/grafana/api/v2/alerts");
      expect(managed.json()).toMatchObject([
        { labels: { alertname: "Sensor down" }, status: { state: "active" } },
      ]);
      await waitUntil(
        async () => {
          const query = { query: "otlp_cms_fusion_queue_depth" };
          const { text } = await lab.get(
            "console",
            "/api/datasources/proxy/uid/prometheus/api/v1/query",
            query,
          );
          return {
            ok: text.includes('"service_name":"track-fusion"') && text.includes('"7"'),
            seen: text,
          };
        },
        { what: "the pushed metric in Prometheus", deadlineMs: 60_000 },
      );
    } finally {
      prometheus.kill("SIGKILL");
      await prometheus.exited;
      rmSync(folder, { recursive: true, force: true });
    }
  });
});
