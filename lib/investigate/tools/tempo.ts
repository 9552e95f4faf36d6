/** TraceQL search and single traces. */
import type { Fact } from "../../contract/citation.ts";
import { SPANS } from "../../contract/telemetry.ts";
import { serviceOf } from "./naming.ts";
import { bounded } from "./promql.ts";
import type { Fetch, ToolResult } from "./recorder.ts";

interface Found {
  readonly traceID: string;
  readonly rootServiceName?: string;
  readonly rootTraceName?: string;
  readonly startTimeUnixNano?: string;
  readonly durationMs?: number;
}

const SPAN_PREFIXES = Object.keys(SPANS).map((name) => name.replace(/<.*$/, ""));
/** A span's name, if it is one that the system declares. */
const known = (name: string): string =>
  SPAN_PREFIXES.some((prefix) => name.startsWith(prefix)) ? name.slice(0, 80) : "span";

export async function traceql(
  get: Fetch,
  tempo: string,
  query: string,
  startMs: number,
  endMs: number,
  limit: number,
): Promise<ToolResult> {
  const search = new URLSearchParams({
    q: query,
    start: String(Math.floor(startMs / 1000)),
    end: String(Math.ceil(endMs / 1000)),
    limit: String(limit),
  });
  const body = (await get(`${tempo}/api/search?${search.toString()}`)) as {
    traces?: readonly Found[];
  };
  const facts = (body.traces ?? []).map(
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
  return { ...bounded(facts, query), window: { startMs, endMs } };
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
