import { describe, expect, test } from "bun:test";
import { readsPrometheus } from "./prometheus-api.ts";

describe("what reads Prometheus", () => {
  test.each([
    ["GET", "/api/v1/query"],
    ["POST", "/api/v1/query_range"],
    ["GET", "/api/v1/label/__name__/values"],
    ["GET", "/api/v1/status/flags"],
    ["HEAD", "/-/ready"],
    ["GET", "/"],
    ["GET", "/graph"],
    ["GET", "/static/js/main.js"],
  ])("%s %s", (method, path) => {
    expect(readsPrometheus(method, path)).toBe(true);
  });
});

describe("what does more than read", () => {
  test.each([
    ["POST", "/api/v1/admin/tsdb/delete_series"],
    ["PUT", "/api/v1/admin/tsdb/delete_series"],
    ["GET", "/api/v1/admin/tsdb/snapshot"],
    ["POST", "/api/v1/write"],
    ["POST", "/api/v1/otlp/v1/metrics"],
    ["POST", "/-/reload"],
    ["PUT", "/-/quit"],
    ["GET", "/-/quit"],
    ["GET", "/debug/pprof/heap"],
    ["DELETE", "/api/v1/series"],
    ["POST", "/api/v1/label/a/values"],
    ["OPTIONS", "/api/v1/query"],
    ["GET", "/api/v1//admin/tsdb/snapshot"],
    ["GET", "/api/v1/label/../admin/tsdb/snapshot/values"],
    ["GET", "/api/v1/label/..%2Fadmin/values"],
    ["GET", "/static/../api/v1/admin/tsdb/snapshot"],
    ["GET", "/static/%2e%2e/api/v1/admin/tsdb/snapshot"],
  ])("%s %s is refused", (method, path) => {
    expect(readsPrometheus(method, path)).toBe(false);
  });
});
