/** Fuzzes the OTLP decoders for protobuf and JSON, and the page of pushed metrics. */
import { systemClock } from "../../base/clock.ts";
import { type Signal, SIGNALS } from "../../../observability/server/otlp/descriptor.ts";
import { Ingress } from "../../../observability/server/otlp/ingress.ts";
import { PushedMetrics } from "../../../observability/server/otlp/pushed-metrics.ts";
import { MalformedError } from "../../../observability/server/otlp/values.ts";
import type { LogRow, SpanRow } from "../../../observability/server/store/rows.ts";
import type { Store } from "../../../observability/server/store/store.ts";
import { mutateBytes, mutateValue, pick } from "./mutate.ts";
import { must, type Target, type Verdict, verdictOf } from "./target.ts";

const attributes = [
  { key: "service.name", value: { stringValue: "radar-sensor" } },
  { key: "count", value: { intValue: "7" } },
  { key: "share", value: { doubleValue: 0.5 } },
  { key: "nested", value: { kvlistValue: { values: [{ key: "a", value: { boolValue: true } }] } } },
  {
    key: "list",
    value: { arrayValue: { values: [{ stringValue: "x" }, { bytesValue: "AAEC" }] } },
  },
];
const scope = { name: "fuzz", version: "1" };
const startTimeUnixNano = "1767225600000000000";
const endTimeUnixNano = "1767225600001000000";

const REQUESTS: Readonly<Record<Signal, unknown>> = {
  traces: {
    resourceSpans: [
      {
        resource: { attributes },
        scopeSpans: [
          {
            scope,
            spans: [
              {
                traceId: "0123456789abcdef0123456789abcdef",
                spanId: "0123456789abcdef",
                parentSpanId: "fedcba9876543210",
                name: "sensor.scan.RADAR-1",
                kind: 1,
                startTimeUnixNano,
                endTimeUnixNano,
                attributes,
                status: { code: 2, message: "failed" },
                events: [{ name: "e", timeUnixNano: startTimeUnixNano, attributes }],
                links: [
                  { traceId: "0123456789abcdef0123456789abcdef", spanId: "0123456789abcdef" },
                ],
              },
            ],
          },
        ],
      },
    ],
  },
  logs: {
    resourceLogs: [
      {
        resource: { attributes },
        scopeLogs: [
          {
            scope,
            logRecords: [
              {
                timeUnixNano: startTimeUnixNano,
                observedTimeUnixNano: endTimeUnixNano,
                severityNumber: 9,
                severityText: "INFO",
                body: { stringValue: '{"event":"sensor_heartbeat","n":1}' },
                attributes,
                traceId: "0123456789abcdef0123456789abcdef",
                spanId: "0123456789abcdef",
              },
            ],
          },
        ],
      },
    ],
  },
  metrics: {
    resourceMetrics: [
      {
        resource: { attributes },
        scopeMetrics: [
          {
            scope,
            metrics: [
              {
                name: "cms_orders",
                description: "orders",
                sum: {
                  aggregationTemporality: 2,
                  isMonotonic: true,
                  dataPoints: [{ attributes, timeUnixNano: endTimeUnixNano, asInt: "5" }],
                },
              },
              {
                name: "cms_took_seconds",
                histogram: {
                  aggregationTemporality: 2,
                  dataPoints: [
                    {
                      attributes,
                      timeUnixNano: endTimeUnixNano,
                      count: "3",
                      sum: 1.5,
                      bucketCounts: ["1", "2"],
                      explicitBounds: [1],
                    },
                  ],
                },
              },
              { name: "g", gauge: { dataPoints: [{ attributes, asDouble: 1.5 }] } },
            ],
          },
        ],
      },
    ],
  },
};
const SIGNAL_NAMES = Object.keys(SIGNALS) as Signal[];
const WORDS = [
  "resourceSpans",
  "resourceLogs",
  "resourceMetrics",
  "attributes",
  "intValue",
  "bytesValue",
  "kvlistValue",
  "service.name",
  "le",
  "exponentialHistogram",
  "18446744073709551615",
  "-9223372036854775809",
];

const isInt64 = (value: bigint): boolean => BigInt.asIntN(64, value) === value;

function checkSpan(row: SpanRow): void {
  must(/^[0-9a-f]{32}$/.test(row.traceId), "a trace id has 32 digits");
  must(/^[0-9a-f]{16}$/.test(row.spanId), "a span id has 16 digits");
  must(/^([0-9a-f]{16})?$/.test(row.parentId), "a parent id has 16 digits, or none");
  must(isInt64(row.startNs) && isInt64(row.durationNs), "times fit into SQLite");
  must(row.durationNs >= 0n, "a span does not end before it begins");
  must(Number.isInteger(row.kind) && Number.isInteger(row.status), "kind and status are whole");
  must(row.kind >= 0 && row.kind <= 5 && row.status >= 0 && row.status <= 2, "both are known");
  must(Array.isArray(JSON.parse(row.attributes)), "attributes are a list in JSON");
  JSON.parse(`{${row.rest}}`);
  JSON.parse(row.origin.resource);
  JSON.parse(row.origin.scope);
}

function checkLog(row: LogRow): void {
  must(isInt64(row.timeNs), "a time fits into SQLite");
  for (const text of [row.labels, row.metadata]) {
    const values = Object.values(JSON.parse(text) as Record<string, unknown>);
    must(
      values.every((value) => typeof value === "string"),
      "labels and metadata are texts",
    );
  }
}

/** A store that validates records and discards them. */
const checking = {
  addSpans: (rows: readonly SpanRow[]) => rows.forEach(checkSpan),
  addLogs: (rows: readonly LogRow[]) => rows.forEach(checkLog),
} as unknown as Store;

/** A line of the text format: a comment, or a sample with closed quotes and one value. */
const LINE =
  /^(# HELP [a-zA-Z_:][\w:]* [^\n]*|# TYPE [a-zA-Z_:][\w:]* .*|[a-zA-Z_:][\w:]*\{([a-zA-Z_]\w*="([^"\\\n]|\\["\\n])*",?)*\} \S+)$/;

/** Otherwise the page would grow with each input. */
const INPUTS_PER_PAGE = 20;

class Receiver {
  #metrics = new PushedMetrics(systemClock);
  #ingress = new Ingress(checking, this.#metrics, systemClock);
  #count = 0;

  take(signal: Signal, accept: (ingress: Ingress) => unknown): Verdict {
    if (this.#count++ % INPUTS_PER_PAGE === 0) {
      this.#metrics = new PushedMetrics(systemClock);
      this.#ingress = new Ingress(checking, this.#metrics, systemClock);
    }
    const verdict = verdictOf(
      () => accept(this.#ingress),
      (error) => error instanceof MalformedError,
    );
    if (signal === "metrics") {
      for (const line of this.#metrics.text().split("\n")) {
        must(line === "" || LINE.test(line), `a scrape can read ${JSON.stringify(line)}`);
      }
    }
    return verdict;
  }
}

/** Nested repeated lists have megabytes. */
const MAX_BODY_CHARACTERS = 100_000;

interface Sent<Body> {
  readonly signal: Signal;
  readonly body: Body;
}

export function otlpProtobuf(): Target<Sent<Uint8Array>> {
  const receiver = new Receiver();
  const seeds = Object.fromEntries(
    SIGNAL_NAMES.map((signal) => {
      const { request } = SIGNALS[signal];
      return [signal, [request.encode(request.fromObject(REQUESTS[signal] as object)).finish()]];
    }),
  ) as Record<Signal, Uint8Array[]>;
  return {
    name: "OTLP protobuf",
    make: (prng) => {
      const signal = pick(prng, SIGNAL_NAMES);
      return { signal, body: mutateBytes(prng, seeds[signal]) };
    },
    attempt: ({ signal, body }) =>
      receiver.take(signal, (ingress) => ingress.acceptProtobuf(signal, body)),
    show: ({ signal, body }) => `${signal} ${Buffer.from(body).toString("base64")}`,
  };
}

export function otlpJson(): Target<Sent<string>> {
  const receiver = new Receiver();
  return {
    name: "OTLP JSON",
    make: (prng) => {
      const signal = pick(prng, SIGNAL_NAMES);
      const text = JSON.stringify(mutateValue(prng, REQUESTS[signal], WORDS)) ?? "";
      const end = prng.next() < 0.02 ? text.length / 2 : MAX_BODY_CHARACTERS;
      return { signal, body: text.slice(0, end) };
    },
    attempt: ({ signal, body }) =>
      receiver.take(signal, (ingress) => ingress.acceptJson(signal, body)),
    show: ({ signal, body }) => `${signal} ${body}`,
  };
}
