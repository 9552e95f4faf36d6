/** The telemetry for both stores: lines of every kind that queries distinguish. */

const SECOND_NS = 1_000_000_000n;
const SERVICES = ["radar-sensor", "esm-sensor", "track-fusion", "odd service"] as const;

export interface Fixture {
  /** OTLP/JSON request. */
  readonly request: unknown;
  readonly lines: number;
  readonly startNs: bigint;
  readonly endNs: bigint;
}

const text = (key: string, value: string): unknown => ({ key, value: { stringValue: value } });

/** Lines for parsers: flat and nested JSON, logfmt, prose, and broken JSON. */
function bodyOf(service: string, index: number): string {
  const kind = index % 10;
  if (service === "odd service")
    return `plain text ${index} with "quotes", back\\slash, ünï and 日本`;
  if (kind === 7)
    return `level=warn msg="queue full" depth=${index} took=${index}ms size=${index}KB`;
  if (kind === 8) return `{"event":"broken","n":${index}`;
  if (kind === 9) return `ERROR something failed after ${index} tries`;
  return JSON.stringify({
    event: kind < 3 ? "sensor_heartbeat" : "dds_writer_ready",
    level: kind === 5 ? "WARN" : "INFO",
    service,
    n: index,
    ratio: index / 4,
    took: `${index * 10}ms`,
    size: `${index}KB`,
    ok: index % 2 === 0,
    nothing: null,
    list: [index, { deep: "x" }],
    nested: { "a.b": "dots", inner: { value: index % 3 } },
    "weird key": "w",
    service_name: "from the line",
  });
}

/**
 * Lines since 12 minutes ago, one a second per service, so that every window of the queries has
 * some.
 */
export function makeFixture(nowMs: number): Fixture {
  const startNs = BigInt(Math.floor(nowMs / 60_000) - 12) * 60n * SECOND_NS;
  const perService = 240;
  const resourceLogs = SERVICES.map((service, at) => ({
    resource: {
      attributes: [
        text("service.name", service),
        ...(at < 2 ? [text("service.namespace", "cms")] : []),
        text("host.name", `host-${at}`),
      ],
    },
    scopeLogs: [
      {
        scope: { name: "lab", version: "1" },
        logRecords: Array.from({ length: perService }, (_, index) => ({
          timeUnixNano: String(startNs + BigInt(index * 2) * SECOND_NS + BigInt(at * 1001 + 7)),
          severityNumber: index % 10 === 5 ? 13 : 9,
          severityText: index % 10 === 5 ? "WARN" : "INFO",
          body: { stringValue: bodyOf(service, index) },
          attributes: [
            text("event.name", `event-${index % 4}`),
            { key: "count", value: { intValue: String(index % 5) } },
            { key: "flag", value: { boolValue: index % 2 === 0 } },
            { key: "share", value: { doubleValue: (index % 4) / 4 } },
            { key: "map", value: { kvlistValue: { values: [text("in.ner", "x")] } } },
            {
              key: "arr",
              value: { arrayValue: { values: [{ intValue: "1" }, { stringValue: "b" }] } },
            },
          ],
          ...(index % 3 === 0
            ? { traceId: `${"ab".repeat(15)}0${index % 10}`, spanId: "0102030405060708" }
            : {}),
        })),
      },
    ],
  }));
  return {
    request: { resourceLogs },
    lines: perService * SERVICES.length,
    startNs,
    endNs: startNs + 600n * SECOND_NS,
  };
}
