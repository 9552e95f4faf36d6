/** Compares Grafana's provisioned files with the declarations, without an image of Grafana. */
import { describe, expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { parseAlertRules } from "../../contract/alert-rules.ts";
import { CONTAINER_METRICS, METRICS, SPANS } from "../../contract/telemetry.ts";
import { readComposeFile } from "./testing/compose-file.ts";
import { readDashboard } from "./testing/dashboard.ts";

const ROOT = new URL("../../..", import.meta.url).pathname.replace(/\/$/, "");
const PROVISIONING = `${ROOT}/observability/grafana/provisioning`;
const yaml = (path: string): unknown =>
  Bun.YAML.parse(readFileSync(`${PROVISIONING}/${path}`, "utf8"));

interface DataSource {
  readonly uid: string;
  readonly type: string;
  readonly url: string;
  readonly editable: boolean;
  readonly jsonData: Readonly<Record<string, unknown>>;
}
const { datasources } = yaml("datasources/datasources.yaml") as { datasources: DataSource[] };
const { services } = readComposeFile(`${ROOT}/docker-compose.yml`);
const { panels, queries } = readDashboard(ROOT);

describe("data sources", () => {
  test("are the three stores, each a container of the compose file, and read-only", () => {
    expect(datasources.map(({ uid }) => uid)).toEqual(["prometheus", "loki", "tempo"]);
    for (const { url, editable } of datasources) {
      expect(Object.keys(services)).toContain(new URL(url).hostname);
      expect(editable).toBe(false);
    }
  });

  test("Prometheus is reached through its door, because Grafana passes on whatever it is sent", () => {
    expect(datasources[0]?.url).toBe("http://prometheus-door:9090");
  });

  test("a log line leads to its trace by the pattern of our own lines", () => {
    const fields = datasources[1]?.jsonData["derivedFields"] as
      { matcherRegex: string; datasourceUid: string }[] | undefined;
    const field = fields?.[0];
    const line = JSON.stringify({ event: "x", trace_id: "0123456789abcdef0123456789abcdef" });
    expect(new RegExp(field?.matcherRegex ?? "").exec(line)?.[1]).toBe(
      "0123456789abcdef0123456789abcdef",
    );
    expect(field?.datasourceUid).toBe("tempo");
  });

  test("a log line leads to the facts about the container of its service", () => {
    const fields = datasources[1]?.jsonData["derivedFields"] as
      { matcherType?: string; matcherRegex: string; url: string }[] | undefined;
    const field = fields?.find(({ matcherType }) => matcherType === "label");
    expect(field?.matcherRegex).toBe("service_name");
    const link = new URL(field?.url.replace("$${__value.raw}", "eo-sensor") ?? "", "http://x");
    const { a: pane } = JSON.parse(link.searchParams.get("panes") ?? "") as {
      a: { datasource: string; queries: { expr: string }[] };
    };
    expect(pane).toMatchObject({
      datasource: "prometheus",
      queries: [{ expr: '{__name__=~"container_.+",name="eo-sensor"}' }],
    });
  });

  test("a span leads to its service's lines and to the facts about its container", () => {
    expect(datasources[2]?.jsonData).toMatchObject({
      tracesToLogsV2: {
        datasourceUid: "loki",
        tags: [{ key: "service.name", value: "service_name" }],
      },
      tracesToMetrics: {
        datasourceUid: "prometheus",
        tags: [{ key: "service.name", value: "name" }],
      },
    });
  });
});

test("the rules ask a data source that is provisioned, and go to the contact point", () => {
  const text = readFileSync(`${PROVISIONING}/alerting/alerts.yaml`, "utf8");
  expect(parseAlertRules(text).length).toBeGreaterThanOrEqual(7);
  expect(datasources.map(({ uid }) => uid)).toContain("prometheus");
  const { contactPoints, policies } = yaml("alerting/contact-points.yaml") as {
    contactPoints: { name: string }[];
    policies: { receiver: string }[];
  };
  expect(contactPoints.map(({ name }) => name)).toEqual([policies[0]?.receiver ?? ""]);
});

describe("dashboard", () => {
  test("stands where the provider and the home page look for it", () => {
    const { providers } = yaml("dashboards/dashboards.yaml") as {
      providers: { options: { path: string } }[];
    };
    expect(providers[0]?.options.path).toBe("/etc/grafana/provisioning/dashboards");
    const home = services["grafana"]?.environment?.["GF_DASHBOARDS_DEFAULT_HOME_DASHBOARD_PATH"];
    expect(home).toBe("/etc/grafana/provisioning/dashboards/cms.json");
  });

  test("fills a screen without gaps or overlaps", () => {
    const cells = new Set<string>();
    for (const { title, gridPos } of panels) {
      for (let x = gridPos.x; x < gridPos.x + gridPos.w; x += 1) {
        for (let y = gridPos.y; y < gridPos.y + gridPos.h; y += 1) {
          expect(cells.has(`${x} ${y}`), `${title} at ${x} ${y}`).toBe(false);
          cells.add(`${x} ${y}`);
        }
      }
    }
    const height = Math.max(...panels.map(({ gridPos }) => gridPos.y + gridPos.h));
    expect(cells.size).toBe(24 * height);
  });

  test.each(queries.map((one) => [one.panel, one] as const))("%s", (_, { source, query }) => {
    if (source === "prometheus") {
      const names = query.match(/\b(cms|container)_\w+|\b(up|ALERTS)\b/g) ?? [];
      expect(names.length).toBeGreaterThan(0);
      const known = new Set([
        ...Object.keys(METRICS),
        ...Object.keys(CONTAINER_METRICS),
        "up",
        "ALERTS",
      ]);
      const base = names.map((name) => name.replace(/_bucket$/, ""));
      expect(base.filter((name) => !known.has(name))).toEqual([]);
    } else if (source === "tempo") {
      const [, name = ""] = / name = "([^"]+)"/.exec(query) ?? [];
      expect(Object.keys(SPANS)).toContain(name);
    } else {
      expect(source).toBe("loki");
      expect(query).toStartWith("{service_name=~");
    }
  });
});
