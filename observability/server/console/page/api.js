// The telemetry APIs, from this page's own origin.
import { createPrometheusClient } from "./prometheus.js";

const PROXY = "/api/datasources/proxy/uid";

/** Gets JSON; throws an Error with the API's own words when it refuses. */
export async function get(path, query = {}) {
  const search = new URLSearchParams(query).toString();
  const response = await fetch(search === "" ? path : `${path}?${search}`, {
    headers: { accept: "application/json" },
    signal: AbortSignal.timeout(5000),
  });
  const text = await response.text();
  if (!response.ok) throw new Error(`${response.status}: ${text.slice(0, 300)}`);
  return JSON.parse(text);
}

const prometheus = createPrometheusClient(`${PROXY}/prometheus`);

/** Series of an instant PromQL query: [{ labels, value }]. */
export const instant = (query) => prometheus.instant(query);

/** Series of a PromQL query over the last `seconds`: [{ labels, points: [[s, value]] }]. */
export async function range(query, seconds, step) {
  const end = Math.floor(Date.now() / 1000 / step) * step;
  const series = await prometheus.range(query, (end - seconds) * 1000, end * 1000, step);
  return series.map(({ labels, points }) => ({
    labels,
    points: points.map(([atMs, value]) => [atMs / 1000, value]),
  }));
}

/** Log lines of the last `seconds`, newest first: [{ atMs, line, labels }]. */
export async function logLines(query, seconds, limit) {
  const end = Date.now();
  const body = await get(`${PROXY}/loki/loki/api/v1/query_range`, {
    query,
    start: `${end - seconds * 1000}000000`,
    end: `${end}000000`,
    limit,
    direction: "backward",
  });
  return body.data.result
    .flatMap(({ stream, values }) =>
      values.map(([at, line]) => ({ atMs: Number(at.slice(0, -6)), line, labels: stream })),
    )
    .toSorted((a, b) => b.atMs - a.atMs)
    .slice(0, limit);
}

export const searchTraces = (q, limit) =>
  get(`${PROXY}/tempo/api/search`, { q, limit }).then((body) => body.traces ?? []);

/** The spans of a trace, each with its service, in order of their start. Times are milliseconds. */
export async function spansOf(traceId) {
  const body = await get(`${PROXY}/tempo/api/traces/${encodeURIComponent(traceId)}`);
  const spans = (body.batches ?? []).flatMap(({ resource, scopeSpans = [] }) => {
    const named = resource?.attributes?.find(({ key }) => key === "service.name");
    const service = named?.value?.stringValue ?? "?";
    return scopeSpans.flatMap(({ spans: inside = [] }) =>
      inside.map((span) => ({
        id: span.spanId,
        parent: span.parentSpanId ?? "",
        name: span.name,
        service,
        startMs: Number(span.startTimeUnixNano) / 1e6,
        endMs: Number(span.endTimeUnixNano) / 1e6,
        attributes: (span.attributes ?? []).map(({ key, value }) => [key, textOf(value)]),
      })),
    );
  });
  return spans.toSorted((a, b) => a.startMs - b.startMs);
}

/** The value of an attribute, without the name of its type. */
const textOf = (value) => {
  const [inner] = Object.values(value ?? {});
  return typeof inner === "object" ? JSON.stringify(inner) : String(inner);
};

/** The time of day on a clock of 24 hours: 8 characters with seconds, 5 without. */
export const clockTime = (atMs, characters = 8) =>
  new Date(atMs).toLocaleTimeString("en-GB").slice(0, characters);

/** An element with text and a class; text is never markup. */
export function element(name, text = "", className = "") {
  const made = document.createElement(name);
  made.textContent = text;
  if (className !== "") made.className = className;
  return made;
}

/** An SVG element with attributes and text. */
export function svg(name, attributes = {}, text = "") {
  const made = document.createElementNS("http://www.w3.org/2000/svg", name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, String(value));
  if (text !== "") made.textContent = text;
  return made;
}
