import { describe, expect, test } from "bun:test";
import { readsTelemetry, type TelemetryApi } from "./telemetry-api.ts";

const PROXY = "/api/datasources/proxy";

describe("what reads", () => {
  test.each<[TelemetryApi, string, string]>([
    ["prometheus", "POST", "/api/v1/query"],
    ["loki", "GET", "/ready"],
    ["loki", "GET", "/loki/api/v1/query_range"],
    ["loki", "POST", "/loki/api/v1/query_range"],
    ["loki", "GET", "/loki/api/v1/label/service_name/values"],
    ["loki", "GET", "/loki/api/v1/index/stats"],
    ["tempo", "GET", "/api/traces/0123abc"],
    ["tempo", "GET", "/api/v2/search/tag/resource.service.name/values"],
    ["tempo", "HEAD", "/api/search"],
    ["grafana", "GET", "/"],
    ["grafana", "GET", "/console/facts.json"],
    ["grafana", "GET", "/api/prometheus/grafana/api/v1/alerts"],
    ["grafana", "POST", "/api/ds/query"],
    ["grafana", "GET", `${PROXY}/uid/loki/loki/api/v1/query_range`],
    ["grafana", "POST", `${PROXY}/uid/prometheus/api/v1/query`],
    ["grafana", "GET", `${PROXY}/3/api/search`],
  ])("%s %s %s", (api, method, path) => {
    expect(readsTelemetry(api, method, path)).toBe(true);
  });
});

describe("what does more than read", () => {
  test.each<[TelemetryApi, string, string]>([
    ["prometheus", "POST", "/api/v1/write"],
    ["loki", "POST", "/otlp/v1/logs"],
    ["loki", "POST", "/loki/api/v1/push"],
    ["loki", "POST", "/loki/api/v1/delete"],
    ["loki", "POST", "/flush"],
    ["loki", "GET", "/ingester/shutdown"],
    ["loki", "POST", "/loki/api/v1/label/a/values"],
    ["loki", "GET", "/loki/api/v1/tail"],
    ["tempo", "POST", "/v1/traces"],
    ["tempo", "POST", "/api/search"],
    ["tempo", "GET", "/flush"],
    ["tempo", "GET", "/shutdown"],
    ["grafana", "GET", "/owner/markers"],
    ["grafana", "POST", "/owner/markers"],
    ["grafana", "POST", "/api/annotations"],
    ["grafana", "DELETE", "/api/datasources/uid/loki"],
    ["grafana", "POST", `${PROXY}/uid/loki/otlp/v1/logs`],
    ["grafana", "POST", `${PROXY}/2/otlp/v1/logs`],
    ["grafana", "POST", `${PROXY}/uid/loki/loki/api/v1/push`],
    ["grafana", "POST", `${PROXY}/uid/prometheus/api/v1/write`],
    ["grafana", "POST", `${PROXY}/uid/prometheus/api/v1/otlp/v1/metrics`],
    ["grafana", "GET", `${PROXY}/uid/prometheus/api/v1/admin/tsdb/snapshot`],
    ["grafana", "POST", `${PROXY}/uid/tempo/v1/traces`],
    ["grafana", "GET", `${PROXY}/uid/loki/../../../../../owner/markers`],
    ["grafana", "GET", `${PROXY}/uid/loki/%2e%2e/owner/markers`],
    ["grafana", "GET", "//owner/markers"],
    ["grafana", "PUT", `${PROXY}/uid/loki/loki/api/v1/query`],
  ])("%s %s %s is refused", (api, method, path) => {
    expect(readsTelemetry(api, method, path)).toBe(false);
  });
});
