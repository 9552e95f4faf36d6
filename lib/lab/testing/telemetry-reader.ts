/** Reads a lab's logs and spans over the Loki API and the Tempo API. */
import { systemClock } from "../../base/clock.ts";
import type { LabPorts, ServiceName } from "../../contract/topology.ts";

export interface SpanRecord {
  readonly service: string;
  readonly name: string;
  /** Such as SPAN_KIND_PRODUCER. */
  readonly kind: string;
  readonly traceId: string;
  /** In base64, as Tempo writes ids of spans. */
  readonly spanId: string;
  /** Empty for a root. */
  readonly parentSpanId: string;
  readonly attributes: Readonly<Record<string, unknown>>;
}

interface Attribute {
  readonly key: string;
  readonly value: Readonly<Record<string, unknown>>;
}

interface TempoTrace {
  readonly batches?: readonly {
    readonly resource: { readonly attributes: readonly Attribute[] };
    readonly scopeSpans: readonly {
      readonly spans: readonly {
        readonly name: string;
        readonly kind?: string;
        readonly spanId: string;
        readonly parentSpanId?: string;
        readonly attributes?: readonly Attribute[];
      }[];
    }[];
  }[];
}

const LOOK_BACK_MS = 10 * 60_000;
const REQUEST_TIMEOUT_MS = 10_000;

export class TelemetryReader {
  readonly #loki: string;
  readonly #tempo: string;

  constructor(ports: LabPorts) {
    this.#loki = `http://127.0.0.1:${ports.loki}`;
    this.#tempo = `http://127.0.0.1:${ports.tempo}`;
  }

  /** The newest lines of a service that match the LogQL `stages`, as JSON objects. */
  async logs(
    service: ServiceName,
    stages: string,
    limit: number,
  ): Promise<Record<string, unknown>[]> {
    const now = systemClock.nowMs();
    const body = await getJson<{ data: { result: { values: [string, string][] }[] } }>(
      `${this.#loki}/loki/api/v1/query_range`,
      {
        query: `{service_name="${service}"} ${stages}`,
        start: `${now - LOOK_BACK_MS}000000`,
        end: `${now + 60_000}000000`,
        limit: String(limit),
      },
    );
    return body.data.result
      .flatMap(({ values }) => values)
      .map(([, line]) => JSON.parse(line) as Record<string, unknown>);
  }

  /** A recent span of the service with this name; undefined if there is none. */
  async span(service: ServiceName, name: string): Promise<SpanRecord | undefined> {
    const q = `{ resource.service.name = "${service}" && name = "${name}" }`;
    const [found] = await this.search(q);
    if (found === undefined) return undefined;
    const spans = await this.trace(found);
    return spans.find((span) => span.service === service && span.name === name);
  }

  /** The ids of the newest traces that match the TraceQL query. */
  async search(q: string, limit = 1): Promise<string[]> {
    const { traces = [] } = await getJson<{ traces?: { traceID: string }[] }>(
      `${this.#tempo}/api/search`,
      { q, limit: String(limit) },
    );
    return traces.map(({ traceID }) => traceID);
  }

  /** All spans of a trace. */
  async trace(traceId: string): Promise<SpanRecord[]> {
    const { batches = [] } = await getJson<TempoTrace>(`${this.#tempo}/api/traces/${traceId}`, {});
    return batches.flatMap(({ resource, scopeSpans }) => {
      const service = String(recordOf(resource.attributes)["service.name"]);
      return scopeSpans.flatMap(({ spans }) =>
        spans.map(({ name, kind = "", spanId, parentSpanId = "", attributes = [] }) => ({
          service,
          name,
          kind,
          traceId,
          spanId,
          parentSpanId,
          attributes: recordOf(attributes),
        })),
      );
    });
  }
}

const recordOf = (attributes: readonly Attribute[]): Record<string, unknown> =>
  Object.fromEntries(attributes.map(({ key, value }) => [key, Object.values(value)[0]]));

async function getJson<T>(url: string, query: Readonly<Record<string, string>>): Promise<T> {
  const search = new URLSearchParams(query).toString();
  const response = await fetch(`${url}?${search}`, {
    signal: AbortSignal.timeout(REQUEST_TIMEOUT_MS),
  });
  const text = await response.text();
  if (!response.ok) throw new Error(`${url} answers ${response.status}: ${text.slice(0, 200)}`);
  return JSON.parse(text) as T;
}
