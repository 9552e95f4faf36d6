/**
 * The read-only part of the telemetry APIs. Proxies forward these requests and refuse all others:
 * OTLP, pushes, remote write, deletion, flush, shutdown, the owner's markers.
 */
import { readsPrometheus } from "./prometheus-api.ts";

export const TELEMETRY_APIS = ["prometheus", "loki", "tempo", "grafana"] as const;
export type TelemetryApi = (typeof TELEMETRY_APIS)[number];

const LOKI_QUERIES =
  "query|query_range|labels?|series|index/(?:stats|volume|volume_range)|patterns|detected_labels|detected_fields|format_query";
const LOKI_READABLE = new RegExp(
  `^/(?:ready|loki/api/v1/(?:${LOKI_QUERIES}|label/[^/]+/values|detected_field/[^/]+/values|status/buildinfo))$`,
);
/** With POST, because a query may be too long for a URL. */
const LOKI_POSTABLE = new RegExp(`^/loki/api/v1/(?:${LOKI_QUERIES})$`);

const TEMPO_SEARCH = "search|search/tags|search/tag/[^/]+/values";
const TEMPO_READABLE = new RegExp(
  `^/(?:ready|api/(?:echo|traces/[^/]+|metrics/(?:query|query_range|summary)|status/buildinfo|${TEMPO_SEARCH})|api/v2/(?:traces/[^/]+|${TEMPO_SEARCH}))$`,
);

const GRAFANA_CLOSED = /^\/(?:owner|otlp)(?:\/|$)/;
const GRAFANA_POSTABLE = /^\/api\/ds\/query$/;
const DATA_SOURCE_PROXY = /^\/api\/datasources\/proxy\/(?:uid\/)?[^/]+(\/.*)$/;

/** Whether a request only reads; `path` is the URL's path without query. */
export function readsTelemetry(api: TelemetryApi, method: string, path: string): boolean {
  // The server could decode an escaped slash or dot into another path.
  if (/%2f|%5c|%2e|\\|\/\.\.?(\/|$)|\/\//i.test(path)) return false;
  const isGet = method === "GET" || method === "HEAD";
  switch (api) {
    case "prometheus":
      return readsPrometheus(method, path);
    case "loki":
      return isGet ? LOKI_READABLE.test(path) : method === "POST" && LOKI_POSTABLE.test(path);
    case "tempo":
      return isGet && TEMPO_READABLE.test(path);
    case "grafana": {
      const behind = DATA_SOURCE_PROXY.exec(path)?.[1];
      // Grafana assigns the ids of data sources, so the id does not tell the API; a path that only
      // reads in one API does not write in another.
      if (behind !== undefined) return SOURCES.some((one) => readsTelemetry(one, method, behind));
      return isGet ? !GRAFANA_CLOSED.test(path) : method === "POST" && GRAFANA_POSTABLE.test(path);
    }
  }
}

const SOURCES = ["prometheus", "loki", "tempo"] as const;
