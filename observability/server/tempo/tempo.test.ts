import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { SIGNALS } from "../otlp/descriptor.ts";
import { NOW_MS, NOW_NS, TestServer } from "../testing/server.ts";
import { parseTraceQl } from "./parse.ts";

const lab = await TestServer.forFile();
const A = "a".repeat(32);
const B = "b".repeat(32);

await lab.pushSpans([
  {
    trace: A,
    id: "1",
    name: "sensor.scan.RADAR-1",
    at: -60,
    ms: 500,
    attributes: { "sensor.id": "RADAR-1", "scan.target_count": 3 },
  },
  {
    trace: A,
    id: "2",
    parent: "1",
    service: "track-fusion",
    name: "fusion.ingest",
    at: -59.9,
    ms: 20,
    kind: 5,
    attributes: { hot: true, "odd key": 'va"l' },
  },
  {
    trace: A,
    id: "3",
    parent: "2",
    service: "threat-evaluator",
    name: "threat.evaluate",
    at: -59.8,
    ms: 5,
    status: { code: 2, message: "too hot" },
  },
  {
    trace: A,
    id: "4",
    parent: "2",
    service: "tactical-display",
    name: "display.ingest",
    at: -59.7,
    ms: 1,
  },
  {
    trace: B,
    id: "5",
    name: "sensor.scan.ESM-2",
    service: "esm-sensor",
    at: -30,
    ms: 2000,
    attributes: { "sensor.id": "ESM-2", "scan.target_count": 2 },
  },
  { trace: "12", id: "6", name: "lonely", service: "esm-sensor", at: -20, parent: "77" },
]);

interface Found {
  readonly traceID: string;
  readonly spanSet: {
    readonly matched: number;
    readonly spans: { spanID: string; attributes: unknown[] }[];
  };
}
const search = async (params: Record<string, string>): Promise<Found[]> => {
  const reply = await lab.get("tempo", "/api/search", params);
  if (reply.status !== 200) throw new Error(reply.text);
  return reply.json()["traces"] as Found[];
};
/** The last digits of the matched spans by trace: "a:12" for spans 1 and 2 of trace A. */
const matches = async (q: string): Promise<string[]> =>
  (await search({ q, spss: "20" })).map(
    ({ traceID, spanSet }) =>
      `${traceID.at(-1)}:${spanSet.spans
        .map(({ spanID }) => spanID.slice(-1))
        .toSorted((a, b) => a.localeCompare(b))
        .join("")}`,
  );

describe("search", () => {
  test.each([
    ["{}", ["2:6", "b:5", "a:1234"]],
    ['{ .service.name = "track-fusion" }', ["a:2"]],
    ['{ resource.service.name = "esm-sensor" }', ["2:6", "b:5"]],
    ['{ resource.service.name =~ "t.*" }', ["a:234"]],
    ['{ resource.service.name !~ "t.*|esm.*" }', ["a:1"]],
    ['{ name = "fusion.ingest" }', ["a:2"]],
    ['{ name =~ "sensor.scan.*" && span.scan.target_count > 2 }', ["a:1"]],
    ['{ span.sensor.id = "ESM-2" || name = "lonely" }', ["2:6", "b:5"]],
    ["{ duration > 100ms }", ["b:5", "a:1"]],
    ["{ duration >= 500ms && duration < 1s }", ["a:1"]],
    ["{ status = error }", ["a:3"]],
    ["{ status != error && kind = consumer }", ["a:2"]],
    ['{ statusMessage = "too hot" }', ["a:3"]],
    ["{ .hot = true }", ["a:2"]],
    ["{ .hot }", ["a:2"]],
    ["{ .hot != nil }", ["a:2"]],
    ['{ span."odd key" = "va\\"l" }', ["a:2"]],
    ['{ !(name = "lonely") && .scan.target_count = 2 }', ["b:5"]],
    ['{ rootServiceName = "radar-sensor" && status = error }', ["a:3"]],
    ['{ rootName = "sensor.scan.ESM-2" }', ["b:5"]],
    ["{ traceDuration > 1s }", ["b:5"]],
    [`{ trace:id = "${A}" && span:id = "0000000000000004" }`, ["a:4"]],
    ['{ name = "fusion.ingest" } && { status = error }', ["a:23"]],
    ['{ name = "fusion.ingest" } || { name = "lonely" }', ["2:6", "a:2"]],
    ['{ name =~ "sensor.*" } > { name = "fusion.ingest" }', ["a:2"]],
    ['{ name =~ "sensor.*" } >> { status = error }', ["a:3"]],
    ['{ name =~ "sensor.*" } > { status = error }', []],
    ['{ status = error } << { name =~ "sensor.*" }', ["a:1"]],
    ['{ status = error } < { name = "fusion.ingest" }', ["a:2"]],
    ['{ status = error } ~ { name =~ "display.*" }', ["a:4"]],
    ["{} | count() > 3", ["a:1234"]],
    ["{} | avg(duration) > 1s", ["b:5"]],
    ["{} | max(span.scan.target_count) >= 3", ["a:1234"]],
    ['{} | { name = "fusion.ingest" }', ["a:2"]],
    ["{ .scan.target_count > -1 && .scan.target_count < 3 }", ["b:5"]],
    ["{ .hot || .scan.target_count = 2 && duration > 1h }", ["a:2"]],
    ["{ (.hot || .scan.target_count = 2) && duration > 1s }", ["b:5"]],
    ["{ .scan.target_count < -1 }", []],
    ['{ .scan.target_count = "3" }', []],
    [`{ name = "' OR 1=1 --" }`, []],
    ['{ span.sensor.id = "%" }', []],
  ])("%s", async (query, expected) => {
    expect(await matches(query)).toEqual(expected);
  });

  test("answers in Tempo's shape", async () => {
    const reply = await lab.get("tempo", "/api/search", {
      q: '{ name = "fusion.ingest" && .hot = true }',
    });
    const spanSet = {
      spans: [
        {
          spanID: "0000000000000002",
          name: "fusion.ingest",
          startTimeUnixNano: String(NOW_NS - 59_900_000_000n),
          durationNanos: "20000000",
          attributes: [{ key: "hot", value: { boolValue: true } }],
        },
      ],
      matched: 1,
    };
    expect(reply.json()).toEqual({
      traces: [
        {
          traceID: A,
          rootServiceName: "radar-sensor",
          rootTraceName: "sensor.scan.RADAR-1",
          startTimeUnixNano: String(NOW_NS - 60_000_000_000n),
          durationMs: 500,
          spanSet,
          spanSets: [spanSet],
          serviceStats: {
            "radar-sensor": { spanCount: 1 },
            "track-fusion": { spanCount: 1 },
            "threat-evaluator": { spanCount: 1, errorCount: 1 },
            "tactical-display": { spanCount: 1 },
          },
        },
      ],
      metrics: { inspectedTraces: 1, inspectedSpans: "1", completedJobs: 1, totalJobs: 1 },
    });
  });

  test("select() adds attributes; a trace without its root says so", async () => {
    const [found] = await search({
      q: '{ name =~ "sensor.scan.R.*" } | select(span.scan.target_count)',
    });
    expect(found?.spanSet.spans[0]?.attributes).toEqual([
      { key: "scan.target_count", value: { intValue: "3" } },
    ]);
    const [lonely] = await search({ q: '{ name = "lonely" }' });
    expect(lonely).toMatchObject({
      rootServiceName: "<root span not yet received>",
      rootTraceName: "",
    });
  });

  test("start and end are seconds; limit and the older tags work", async () => {
    const start = String(NOW_MS / 1000 - 40);
    const end = String(NOW_MS / 1000 - 25);
    expect((await search({ q: "{}", start, end })).map(({ traceID }) => traceID)).toEqual([B]);
    expect(await search({ q: "{}", limit: "1" })).toHaveLength(1);
    expect(
      (await search({ tags: 'service.name=esm-sensor name="lonely"' })).map(
        ({ traceID }) => traceID,
      ),
    ).toEqual(["12".padStart(32, "0")]);
    expect(
      (await search({ minDuration: "400ms", maxDuration: "1s" })).map(({ traceID }) => traceID),
    ).toEqual([A]);
  });
});

describe("one trace", () => {
  test("/api/traces answers with batches, /api/v2/traces with a trace; both also in protobuf", async () => {
    const { batches } = (await lab.get("tempo", `/api/traces/${A.toUpperCase()}`)).json() as {
      batches: {
        resource: { attributes: unknown[] };
        scopeSpans: { spans: { name: string }[] }[];
      }[];
    };
    expect(
      batches.flatMap(({ scopeSpans }) =>
        scopeSpans.flatMap(({ spans }) => spans.map(({ name }) => name)),
      ),
    ).toEqual(["sensor.scan.RADAR-1", "fusion.ingest", "threat.evaluate", "display.ingest"]);
    expect(batches[1]?.scopeSpans[0]?.spans[0]).toEqual({
      traceId: Buffer.from(A, "hex").toString("base64"),
      spanId: "AAAAAAAAAAI=",
      parentSpanId: "AAAAAAAAAAE=",
      name: "fusion.ingest",
      kind: "SPAN_KIND_CONSUMER",
      startTimeUnixNano: String(NOW_NS - 59_900_000_000n),
      endTimeUnixNano: String(NOW_NS - 59_880_000_000n),
      attributes: [
        { key: "hot", value: { boolValue: true } },
        { key: "odd key", value: { stringValue: 'va"l' } },
      ],
      status: {},
    } as never);
    const v2 = (await lab.get("tempo", `/api/v2/traces/${A}`)).json() as {
      trace: { resourceSpans: unknown[] };
    };
    expect(v2.trace.resourceSpans).toEqual(batches);
    const raw = await fetch(`${lab.url("tempo")}/api/traces/${A}`, {
      headers: { accept: "application/protobuf" },
    });
    const decoded = SIGNALS.traces.request.decode(
      new Uint8Array(await raw.arrayBuffer()),
    ) as unknown as {
      resourceSpans: { scopeSpans: { spans: { kind: number; status?: { code: number } }[] }[] }[];
    };
    expect(decoded.resourceSpans).toHaveLength(4);
    expect(decoded.resourceSpans[1]?.scopeSpans[0]?.spans[0]?.kind).toBe(5);
    expect(decoded.resourceSpans[2]?.scopeSpans[0]?.spans[0]?.status?.code).toBe(2);
  });

  test("an id without its leading zeros is found; an unknown one is 404, a bad one 400", async () => {
    expect((await lab.get("tempo", "/api/traces/12")).status).toBe(200);
    expect((await lab.get("tempo", "/api/traces/123456")).status).toBe(404);
    expect((await lab.get("tempo", "/api/traces/xyz")).status).toBe(400);
    expect((await lab.get("tempo", `/api/traces/${"a".repeat(33)}`)).status).toBe(400);
  });
});

describe("tags", () => {
  test("names and values by both versions of the API", async () => {
    expect((await lab.get("tempo", "/api/search/tags")).json()["tagNames"]).toEqual([
      "hot",
      "odd key",
      "scan.target_count",
      "sensor.id",
      "service.name",
    ]);
    const { scopes } = (await lab.get("tempo", "/api/v2/search/tags")).json() as {
      scopes: { name: string }[];
    };
    expect(scopes.map(({ name }) => name)).toEqual(["resource", "span", "intrinsic"]);
    expect((await lab.get("tempo", "/api/search/tag/sensor.id/values")).json()).toEqual({
      tagValues: ["ESM-2", "RADAR-1"],
    });
    expect((await lab.get("tempo", "/api/v2/search/tag/.scan.target_count/values")).json()).toEqual(
      {
        tagValues: [
          { type: "int", value: "2" },
          { type: "int", value: "3" },
        ],
      },
    );
    expect((await lab.get("tempo", "/api/v2/search/tag/status/values")).json()).toEqual({
      tagValues: ["error", "ok", "unset"].map((value) => ({ type: "keyword", value })),
    });
    expect((await lab.get("tempo", "/api/echo")).text).toBe("echo");
  });
});

describe("what is not supported is a 400 that names it", () => {
  test.each([
    ["{ .a > 1 + 2 }", "operator +"],
    ['{ event.name = "x" }', "the scope of event.name"],
    ['{ parent.a = "x" }', "the scope of parent.a"],
    ['{ instrumentation:name = "x" }', "field instrumentation:name"],
    ['{ .a = "x" } !> { .b = "y" }', "spanset operator !>"],
    ["{} | by(.a)", "stage by"],
    ["{} | rate()", "stage rate"],
    ["{} | coalesce()", "stage coalesce"],
  ])("%s", async (q, construct) => {
    const reply = await lab.get("tempo", "/api/search", { q });
    expect([reply.status, reply.text]).toEqual([
      400,
      expect.stringContaining(`${construct} is not supported by this server`),
    ]);
  });

  test.each([
    "{ .a = ",
    "{",
    "x",
    '{ name =~ "(" }',
    "{ name =~ 5 }",
    `{ name =~ "${"xy.".repeat(2800)}" }`,
  ])("%s is refused as wrong", async (q) => {
    expect((await lab.get("tempo", "/api/search", { q })).status).toBe(400);
  });

  test("metrics queries and unknown paths say so", async () => {
    const metrics = await lab.get("tempo", "/api/metrics/query_range", { q: "{} | rate()" });
    expect([metrics.status, metrics.text]).toEqual([
      400,
      "TraceQL: a metrics query is not supported by this server\n",
    ]);
    const other = await lab.get("tempo", "/api/overrides");
    expect([other.status, other.text]).toEqual([
      404,
      "/api/overrides is not supported by this server\n",
    ]);
    expect((await lab.get("loki", "/loki/api/v1/patterns")).status).toBe(404);
  });

  test("no text makes the parser throw anything but a refusal", () => {
    const parts = [
      "{",
      "}",
      ".a",
      "name",
      "=",
      "=~",
      '"x"',
      "5",
      "10ms",
      "&&",
      "||",
      "!",
      "(",
      ")",
      "|",
      "count()",
      ">",
      ">>",
      "status",
      "error",
      "select(",
      ",",
      "nil",
      "-",
      "+",
    ];
    fc.assert(
      fc.property(fc.array(fc.constantFrom(...parts), { maxLength: 16 }), (words) => {
        try {
          parseTraceQl(words.join(" "));
        } catch (error) {
          expect((error as Error).constructor.name).toBe("QueryError");
        }
      }),
      { numRuns: 2000 },
    );
  });
});
