/**
 * The read-only part of Prometheus' HTTP API. A proxy in front of Prometheus forwards these
 * requests and refuses all others: the admin API (`delete_series`), reload, quit, profiles and
 * remote write.
 */

const API = [
  "query",
  "query_range",
  "query_exemplars",
  "format_query",
  "parse_query",
  "series",
  "labels",
  "label/[^/]+/values",
  "metadata",
  "targets",
  "targets/metadata",
  "rules",
  "alerts",
  "alertmanagers",
  "status/(config|flags|runtimeinfo|buildinfo|tsdb|walreplay)",
];
/** Prometheus' own pages and their files. */
const PAGES = [
  "graph",
  "query",
  "alerts",
  "rules",
  "targets",
  "status",
  "tsdb-status",
  "flags",
  "config",
  "service-discovery",
  "static/.+",
  "assets/.+",
  "favicon\\.(ico|svg)",
  "manifest\\.json",
  "-/(ready|healthy)",
  "metrics",
  "federate",
];

const READABLE = new RegExp(`^/(api/v1/(${API.join("|")})|${PAGES.join("|")})?$`);
/** With POST, because a query may be too long for a URL. */
const POSTABLE =
  /^\/api\/v1\/(query|query_range|query_exemplars|format_query|parse_query|series|labels)$/;

/** Whether a request only reads; `path` is the URL's path without query. */
export function readsPrometheus(method: string, path: string): boolean {
  // The server could decode an escaped slash or dot into another path.
  if (/%2f|%5c|%2e|\\|\/\.\.?(\/|$)|\/\//i.test(path)) return false;
  if (method === "GET" || method === "HEAD") return READABLE.test(path);
  return method === "POST" && POSTABLE.test(path);
}
