/** TraceQL search and single traces. */
import type { Fact } from "../../contract/citation.ts";
import { SPANS } from "../../contract/telemetry.ts";
import type { ServiceName } from "../../contract/topology.ts";
import { serviceOf } from "./naming.ts";
import { bounded } from "./promql.ts";
import type { Fetch, ToolResult, Window } from "./recorder.ts";

interface FoundSpan {
  readonly name?: string;
  readonly durationNanos?: string;
}

interface Found {
  readonly traceID: string;
  readonly spanSets?: readonly { readonly spans?: readonly FoundSpan[] }[];
  readonly rootServiceName?: string;
  readonly rootTraceName?: string;
  readonly startTimeUnixNano?: string;
  readonly durationMs?: number;
}

const SPAN_PREFIXES = Object.keys(SPANS).map((name) => name.replace(/<.*$/, ""));
/** A span's name if it is declared, else `span`. */
const known = (name: string): string =>
  SPAN_PREFIXES.some((prefix) => name.startsWith(prefix)) ? name.slice(0, 80) : "span";

async function found(
  get: Fetch,
  tempo: string,
  search: URLSearchParams,
): Promise<readonly Found[]> {
  const url = `${tempo}/api/search?${search.toString()}`;
  return ((await get(url)) as { traces?: readonly Found[] }).traces ?? [];
}

export async function traceql(
  get: Fetch,
  tempo: string,
  query: string,
  window: Window,
  limit: number,
): Promise<ToolResult> {
  const search = new URLSearchParams({
    q: query,
    start: String(Math.floor(window.startMs / 1000)),
    end: String(Math.ceil(window.endMs / 1000)),
    limit: String(limit),
  });
  const facts = (await found(get, tempo, search)).map(
    ({
      traceID,
      rootServiceName = "",
      rootTraceName = "",
      startTimeUnixNano = "0",
      durationMs = 0,
    }): Fact => ({
      signal: known(rootTraceName),
      service: serviceOf("", { service_name: rootServiceName }),
      labels: { trace_id: traceID, unit: "ms" },
      value: durationMs,
      when: new Date(Number(BigInt(startTimeUnixNano) / 1_000_000n)).toISOString(),
    }),
  );
  return { ...bounded(facts, query), window };
}

/** Number of traces of a service from which durations of spans are taken. */
const SAMPLED_TRACES = 20;
const SPANS_PER_TRACE = 20;

/**
 * Samples each service's spans of the `seconds` before `atMs`: their number, up to the size of the
 * sample, and the 95th percentile of their durations in whole milliseconds, at least 1 (start times
 * are no more precise).
 */
export async function spanSamples(
  get: Fetch,
  tempo: string,
  seconds: number,
  atMs: number,
  when: string,
): Promise<Fact[]> {
  const services = [...new Set(Object.values(SPANS).flatMap((spec) => [...spec.services]))];
  const sample = async (service: ServiceName): Promise<Fact[]> => {
    const search = new URLSearchParams({
      q: `{ resource.service.name = "${service}" }`,
      start: String(Math.floor(atMs / 1000) - seconds),
      end: String(Math.floor(atMs / 1000)),
      limit: String(SAMPLED_TRACES),
      spss: String(SPANS_PER_TRACE),
    });
    const durations = new Map<string, number[]>();
    const traces = await found(get, tempo, search);
    const sets = traces.flatMap(({ spanSets = [] }) => spanSets);
    for (const { name = "", durationNanos = "0" } of sets.flatMap(({ spans = [] }) => spans)) {
      const ms = Number(durationNanos) / 1e6;
      durations.set(known(name), [...(durations.get(known(name)) ?? []), ms]);
    }
    return [...durations].flatMap(([signal, found]): Fact[] => [
      { signal, service, labels: { measure: "p95_ms" }, value: percentile95(found), when },
      { signal, service, labels: { measure: "sampled" }, value: found.length, when },
    ]);
  };
  return (await Promise.all(services.map(sample))).flat();
}

function percentile95(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const value = sorted[Math.ceil(sorted.length * 0.95) - 1] ?? 0;
  return Math.max(1, Math.round(value));
}

interface Batch {
  readonly resource?: { readonly attributes?: readonly Attribute[] };
  readonly scopeSpans?: readonly { readonly spans?: readonly RawSpan[] }[];
}
interface Attribute {
  readonly key: string;
  readonly value?: { readonly stringValue?: string };
}
interface RawSpan {
  readonly name?: string;
  readonly startTimeUnixNano?: string;
  readonly endTimeUnixNano?: string;
}

/** Every span of one trace with its duration. */
export async function trace(get: Fetch, tempo: string, traceId: string): Promise<ToolResult> {
  const body = (await get(`${tempo}/api/traces/${traceId}`)) as { batches?: readonly Batch[] };
  const facts = (body.batches ?? []).flatMap(({ resource, scopeSpans = [] }) => {
    const name = resource?.attributes?.find(({ key }) => key === "service.name");
    const service = serviceOf("", { service_name: name?.value?.stringValue ?? "" });
    return scopeSpans.flatMap(({ spans = [] }) =>
      spans.map(({ name: span = "", startTimeUnixNano = "0", endTimeUnixNano = "0" }): Fact => ({
        signal: known(span),
        service,
        labels: { unit: "ms" },
        value: Number(BigInt(endTimeUnixNano) - BigInt(startTimeUnixNano)) / 1e6,
        when: new Date(Number(BigInt(startTimeUnixNano) / 1_000_000n)).toISOString(),
      })),
    );
  });
  return bounded(facts, `trace ${traceId}`);
}
