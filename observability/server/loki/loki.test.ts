import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { NOW_MS, NOW_NS, type Reply, TestServer } from "../testing/server.ts";
import { parseLogQl } from "./parse.ts";
import { extractJson } from "./extract.ts";

const lab = await TestServer.forFile();
const SECRET = `it's "quoted" \\ back; DROP TABLE logs; -- %_ {x="y"} 日本 😀`;

await lab.pushLogs([
  ...Array.from({ length: 20 }, (_, index) => ({
    at: -40 + index,
    service: index % 2 === 0 ? "radar-sensor" : "esm-sensor",
    body: JSON.stringify({ event: "tick", n: index, level: index === 4 ? "WARN" : "INFO" }),
    attributes: { "event.name": "tick" },
  })),
  { at: -5, service: "odd", body: SECRET, attributes: { note: SECRET } },
]);

const range = (query: string, params: Record<string, string> = {}): Promise<Reply> =>
  lab.get("loki", "/loki/api/v1/query_range", { query, ...params });
interface Stream {
  readonly stream: Record<string, string>;
  readonly values: [string, string][];
}
const streams = async (query: string, params: Record<string, string> = {}): Promise<Stream[]> => {
  const reply = await range(query, params);
  if (reply.status !== 200) throw new Error(reply.text);
  return (reply.json()["data"] as { result: Stream[] }).result;
};
const lines = async (query: string, params: Record<string, string> = {}): Promise<string[]> =>
  (await streams(query, params)).flatMap(({ values }) => values.map(([, line]) => line));

describe("query_range over lines", () => {
  test("answers in Loki's shape: streams of [nanoseconds, line], newest first", async () => {
    const reply = await range('{service_name="radar-sensor"}', { limit: "2" });
    expect(reply.json()).toMatchObject({
      status: "success",
      data: {
        resultType: "streams",
        result: [
          {
            stream: { service_name: "radar-sensor", event_name: "tick", detected_level: "info" },
            values: [
              [String(NOW_NS - 22_000_000_000n), '{"event":"tick","n":18,"level":"INFO"}'],
              [String(NOW_NS - 24_000_000_000n), '{"event":"tick","n":16,"level":"INFO"}'],
            ],
          },
        ],
        stats: { summary: {} },
      },
    });
  });

  test("the limit counts lines over all streams, in order of time", async () => {
    const found = await lines('{service_name=~"radar.*|esm.*"}', { limit: "3" });
    expect(
      found.map((line) => (JSON.parse(line) as { n: number }).n).toSorted((a, b) => a - b),
    ).toEqual([17, 18, 19]);
    const oldest = await lines('{service_name=~"radar.*|esm.*"}', {
      limit: "3",
      direction: "forward",
    });
    expect(
      oldest.map((line) => (JSON.parse(line) as { n: number }).n).toSorted((a, b) => a - b),
    ).toEqual([0, 1, 2]);
  });

  test.each([
    ["nanoseconds", String(NOW_NS - 25_000_000_000n)],
    ["seconds", String(NOW_MS / 1000 - 25)],
    ["seconds with a fraction", `${NOW_MS / 1000 - 25}.000`],
    ["RFC 3339", new Date(NOW_MS - 25_000).toISOString()],
  ])("start is inclusive, end exclusive, in %s", async (_, start) => {
    const found = await lines('{service_name=~"radar.*|esm.*"}', {
      start,
      end: String(NOW_NS - 23_000_000_000n),
    });
    expect(
      found.map((line) => (JSON.parse(line) as { n: number }).n).toSorted((a, b) => a - b),
    ).toEqual([15, 16]);
  });

  test("a form in a POST works like the URL", async () => {
    const body = new URLSearchParams({ query: '{service_name="odd"}' });
    const reply = await lab.get("loki", "/loki/api/v1/query_range", {}, { method: "POST", body });
    expect(reply.text).toContain("DROP TABLE");
  });
});

describe("text is data", () => {
  const quoted = JSON.stringify(SECRET);

  test("quotes, backslashes, SQL and percent signs in filters find exactly that text", async () => {
    expect(await lines(`{service_name=~".+"} |= ${quoted}`)).toEqual([SECRET]);
    expect(await lines(`{service_name=~".+"} | note=${quoted}`)).toEqual([SECRET]);
    expect(await lines('{service_name=~".+"} |= "%_"')).toEqual([SECRET]);
    expect(await lines('{service_name=~".+"} |= "_%"')).toEqual([]);
    expect(await lines(`{service_name="' OR '1'='1"}`)).toEqual([]);
    expect(await lines(`{service_name=~".+"} |= "x') OR 1=1 --"`)).toEqual([]);
  });

  test("any line comes back as it was sent, and is found by itself", async () => {
    let count = 0;
    await fc.assert(
      fc.asyncProperty(
        fc.string({ unit: "grapheme", minLength: 1, maxLength: 60 }),
        async (text) => {
          count += 1;
          const service = `any-${count}`;
          await lab.pushLogs([{ service, body: text }]);
          expect(
            await lines(`{service_name="${service}"} |= ${JSON.stringify(text)}`, {
              end: String(NOW_NS + 1n),
            }),
          ).toEqual([text]);
        },
      ),
      { numRuns: 60 },
    );
  });

  test("a label may be called like a property of every object", async () => {
    await lab.pushLogs([
      {
        service: "proto",
        at: -3,
        body: '{"__proto__":"p","constructor":"c"}',
        attributes: { constructor: "k" },
      },
    ]);
    const [found] = await streams('{service_name="proto"} | json | constructor_extracted="c"');
    expect(found?.stream["constructor"]).toBe("k");
    expect(await lines('{service_name="proto", toString=""}')).toHaveLength(1);
    expect(await lines('{service_name="proto"} | toString="x"')).toEqual([]);
  });
});

describe("what is not supported is a 400 that names it", () => {
  const one = '{service_name="a"}';
  test.each([
    [`${one} | line_format "{{.x}}"`, "stage line_format"],
    [`${one} | label_format a=b`, "stage label_format"],
    [`${one} | pattern "<_>"`, "stage pattern"],
    [`${one} | regexp "(?P<x>a)"`, "stage regexp"],
    [`${one} | unpack`, "stage unpack"],
    [`${one} | decolorize`, "stage decolorize"],
    [`${one} | logfmt --strict`, "a flag of stage logfmt"],
    [`${one} |> "<_> x"`, "pattern filter |>"],
    [`${one} |= ip("10.0.0.1")`, "line filter ip()"],
    [`${one} | a=ip("10.0.0.1")`, "label filter"],
    [`${one} | drop a="b"`, "a matcher in drop"],
    [`stddev_over_time(${one} | unwrap x [1m])`, "stddev_over_time()"],
    [`rate_counter(${one} | unwrap x [1m])`, "rate_counter()"],
    [`sort(rate(${one}[1m]))`, "sort()"],
    [`stddev(rate(${one}[1m]))`, "stddev()"],
    [`rate(${one}[1m]) and rate(${one}[1m])`, "operator and"],
    [`rate(${one}[1m]) / on(a) rate(${one}[1m])`, "on()"],
    [`label_replace(rate(${one}[1m]), "a", "$1", "b", "(.*)")`, "label_replace"],
    ["vector(1)", "vector"],
  ])("%s", async (query, construct) => {
    const reply = await range(query);
    expect([reply.status, reply.text]).toEqual([
      400,
      expect.stringContaining("is not supported by this server"),
    ]);
    expect(reply.text).toContain(construct);
  });
});

describe("hostile queries", () => {
  test("too many series are refused while lines are read, before they are evaluated", async () => {
    const attributes = (index: number) => ({ unique: String(index) });
    await lab.pushLogs(
      Array.from({ length: 1200 }, (_, index) => ({
        service: "many",
        at: -1,
        body: "x",
        attributes: attributes(index),
      })),
    );
    const params = {
      start: String(NOW_MS / 1000 - 10_900),
      end: String(NOW_MS / 1000),
      step: "1",
    };
    const before = process.memoryUsage().rss;
    const beganMs = performance.now();
    for (const [query, said] of [
      ['count_over_time({service_name="many"}[1m])', "maximum number of series (500)"],
      ['max(count_over_time({service_name="many"}[1m]))', "at most 6000000 points"],
    ] as const) {
      const reply = await range(query, params);
      expect([reply.status, reply.text]).toEqual([400, expect.stringContaining(said)]);
    }
    expect(performance.now() - beganMs).toBeLessThan(5000);
    expect(process.memoryUsage().rss - before).toBeLessThan(200e6);
    // With few steps this many series are allowed.
    const reply = await range('max(count_over_time({service_name="many"}[1m]))', {
      ...params,
      step: "5000",
    });
    expect(reply.status).toBe(200);
  });

  test("a duration longer than time is refused, and a long one reads all there is", async () => {
    const one = '{service_name="radar-sensor"}';
    const asked = (duration: string, offset = "") =>
      lab.get("loki", "/loki/api/v1/query", {
        query: `count_over_time(${one}[${duration}]${offset})`,
        time: String(NOW_NS),
      });
    expect((await asked("999999999999999999990s")).status).toBe(400);
    expect((await asked("292y")).status).toBe(200);
    expect((await asked("292y", " offset 292y")).status).toBe(200);
  });

  test("patterns on which other engines hang answer at once", async () => {
    await lab.pushLogs([{ service: "long", at: -2, body: `${"a".repeat(100_000)}!` }]);
    for (const pattern of ["(a+)+$", "(.*)(.*)(.*)(.*)(.*)x", "^(a|a?)+$"]) {
      expect(await lines(`{service_name="long"} |~ "${pattern}"`)).toEqual([]);
    }
  });

  test.each([
    ["a huge pattern", `{a="b"} |~ "${"x?".repeat(8000)}"`, "at most 8192 characters"],
    ["a pattern that compiles huge", '{a="b"} |~ "((x{100}){100}){100}"', "at most 5000 steps"],
    ["repeats of nothing", '{a=~"((((){1000}){1000}){1000}){1000}"}', "at most 5000 steps"],
    [
      "a pattern of many steps on a long line",
      `{service_name="long"} |~ "${"[a-z]{0,1000}".repeat(4)}[0-9]"`,
      "characters, but a text has 100001",
    ],
    ["a huge query", `{a="b"} ${'|= "x"'.repeat(5000)}`, "at most 16384 characters"],
    ["deep nesting", `${"(".repeat(3000)}1${")".repeat(3000)}`, ""],
    ["deep label filters", `{a="b"} | ${"(".repeat(3000)}c="d"${")".repeat(3000)}`, ""],
  ])("%s is refused", async (_, query, said) => {
    const body = new URLSearchParams({ query });
    const reply = await lab.get("loki", "/loki/api/v1/query_range", {}, { method: "POST", body });
    expect(reply.status).toBe(400);
    expect(reply.text).toContain(said);
  });

  test("no text makes the parser throw anything but a refusal", () => {
    const parts = [
      "{",
      "}",
      'a="b"',
      "|=",
      "|~",
      '"x"',
      "json",
      "|",
      "sum",
      "by",
      "(",
      ")",
      "rate",
      "[1m]",
      "and",
      "or",
      ">",
      "5",
      "unwrap",
      "`",
      "\\",
      "offset",
      "1h",
      ",",
      "=~",
      "drop",
    ];
    fc.assert(
      fc.property(fc.array(fc.constantFrom(...parts), { maxLength: 20 }), (words) => {
        try {
          parseLogQl(words.join(" "));
        } catch (error) {
          expect((error as Error).constructor.name).toBe("QueryError");
        }
      }),
      { numRuns: 2000 },
    );
  });
});

describe("labels and series", () => {
  test("names, values and series of the window, in Loki's shapes", async () => {
    expect((await lab.get("loki", "/loki/api/v1/labels")).json()).toEqual({
      status: "success",
      data: ["service_name"],
    });
    const values = (await lab.get("loki", "/loki/api/v1/label/service_name/values")).json()["data"];
    expect(values).toEqual(expect.arrayContaining(["esm-sensor", "odd", "radar-sensor"]));
    const of = await lab.get("loki", "/loki/api/v1/label/service_name/values", {
      query: '{service_name=~"e.*"}',
    });
    expect(of.json()).toEqual({ status: "success", data: ["esm-sensor"] });
    const series = await lab.get("loki", "/loki/api/v1/series", {
      "match[]": '{service_name="odd"}',
    });
    expect(series.json()).toEqual({ status: "success", data: [{ service_name: "odd" }] });
    const before = await lab.get("loki", "/loki/api/v1/labels", { start: "1", end: "2" });
    expect(before.json()).toEqual({ status: "success" });
    expect((await lab.get("loki", "/ready")).text).toBe("ready\n");
  });
});

describe("metric queries", () => {
  test("range: aligned steps, values as text; instant: one value", async () => {
    const reply = await range(
      'sum by (service_name) (count_over_time({service_name=~"radar.*|esm.*"}[1m]))',
      {
        start: String(NOW_MS / 1000 - 50),
        end: String(NOW_MS / 1000),
        step: "30s",
      },
    );
    const at = NOW_MS / 1000;
    expect((reply.json()["data"] as { result: unknown }).result).toEqual([
      {
        metric: { service_name: "radar-sensor" },
        values: [
          [at - 30, "6"],
          [at, "10"],
        ],
      },
      {
        metric: { service_name: "esm-sensor" },
        values: [
          [at - 30, "5"],
          [at, "10"],
        ],
      },
    ]);
    const instant = await lab.get("loki", "/loki/api/v1/query", {
      query: 'sum(count_over_time({service_name="radar-sensor"}[50s])) / 10',
    });
    expect((instant.json()["data"] as { result: unknown }).result).toEqual([
      { metric: {}, value: [at, "1"] },
    ]);
  });
});

test("extractJson() reads any object as JSON.parse does, and never throws on other text", () => {
  fc.assert(
    fc.property(
      fc.dictionary(
        fc.stringMatching(/^[a-z]{1,5}$/),
        fc.oneof(fc.string(), fc.boolean(), fc.double({ noNaN: true, noDefaultInfinity: true })),
      ),
      (object) => {
        const found = new Map<string, string>();
        expect(
          extractJson(JSON.stringify(object), (name, value) => found.set(name, value)),
        ).toBeUndefined();
        for (const [name, value] of Object.entries(object)) {
          expect(found.get(name)).toBe(typeof value === "string" ? value : JSON.stringify(value));
        }
        const cut = JSON.stringify(object).slice(0, -1);
        expect(extractJson(cut, () => undefined)).toEqual(expect.any(String));
      },
    ),
  );
  fc.assert(
    fc.property(fc.string({ unit: "binary" }), (text) => {
      extractJson(text, () => undefined);
    }),
  );
});
