/** Wrong calls throw before C gets them, and everything works afterwards. */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import {
  createParticipant,
  DdsClosedError,
  DdsError,
  DdsValueError,
  type Infer,
  type Participant,
  type ParticipantOptions,
  type Qos,
  type Writer,
} from "./mod.ts";
import { Reading } from "./testing/reading.ts";
import { testDomain, testParticipant, until } from "./testing/domain.ts";

const Strict = {
  kind: "struct",
  name: "t::Strict",
  key: ["id"],
  fields: {
    id: { kind: "string", bound: 16 },
    place: Reading,
    flag: "bool",
    u8: "u8",
    i8: "i8",
    u16: "u16",
    i16: "i16",
    u32: "u32",
    i32: "i32",
    u64: "u64",
    i64: "i64",
    f32: "f32",
    f64: "f64",
    colour: { kind: "enum", name: "t::Colour", values: ["RED", "GREEN", "BLUE"] },
    brief: { kind: "sequence", of: { kind: "string", bound: 8 }, bound: 4 },
    numbers: { kind: "sequence", of: "f64" },
    three: { kind: "array", of: "i32", length: 3 },
    tail: "string",
  },
} as const;

const fine: Infer<typeof Strict> = {
  id: "exactly-16-bytes",
  place: { sensor: "roof", celsius: 1, tags: [] },
  flag: true,
  u8: 0,
  i8: 0,
  u16: 0,
  i16: 0,
  u32: 0,
  i32: 0,
  u64: 0n,
  i64: 0n,
  f32: 0,
  f64: 0,
  colour: "RED",
  brief: [],
  numbers: [],
  three: [1, 2, 3],
  tail: "",
};

const reliable: Qos = { reliability: "RELIABLE", history: { kind: "KEEP_ALL" } };
const whole = (name: string, min: number, max: number): [string, object][] =>
  [min - 1, max + 1, 0.5, NaN, Infinity, "1", 1n, null].map((value) => [
    `Strict.${name}: it must be a whole number from ${min} to ${max}, but is ${typeof value === "string" ? `"${value}"` : value}`,
    { [name]: value },
  ]);
const big = (name: string, min: bigint, max: bigint): [string, object][] =>
  [min - 1n, max + 1n, 1, "1"].map((value) => [
    `Strict.${name}: it must be a bigint from ${min} to ${max}`,
    { [name]: value },
  ]);

const wrong: readonly [string, object][] = [
  ...whole("u8", 0, 255),
  ...whole("i8", -128, 127),
  ...whole("u16", 0, 65_535),
  ...whole("i16", -32_768, 32_767),
  ...whole("u32", 0, 2 ** 32 - 1),
  ...whole("i32", -(2 ** 31), 2 ** 31 - 1),
  ...big("u64", 0n, 2n ** 64n - 1n),
  ...big("i64", -(2n ** 63n), 2n ** 63n - 1n),
  ["Strict.f32: it must be a number that fits 32 bits, but is 1e+300", { f32: 1e300 }],
  ['Strict.f64: it must be a number, but is "1"', { f64: "1" }],
  ["Strict.flag: it must be true or false, but is 1", { flag: 1 }],
  ['Strict.colour: it must be one of RED, GREEN, BLUE, but is "PINK"', { colour: "PINK" }],
  ["Strict.tail: it must be a string, but is 7", { tail: 7 }],
  ["Strict.tail: it must be a string, but is undefined", { tail: undefined }],
  ["Strict.tail: it must be text without NUL", { tail: "a\0b" }],
  ["Strict.tail: it must be text without NUL", { tail: "ä\0b" }],
  ["Strict.tail: it must be text without lone surrogates", { tail: "\ud800" }],
  ["Strict.id: it must be text without NUL", { id: "\0" }],
  ["Strict.id: it must be text without lone surrogates", { id: "a\udfff" }],
  ["Strict.id: it must be text of at most 16 bytes", { id: "x".repeat(17) }],
  ["Strict.id: it must be text of at most 16 bytes", { id: "€".repeat(6) }],
  ["Strict.brief: it must be an array of at most 4 elements", { brief: ["", "", "", "", ""] }],
  ["Strict.brief[]: it must be text of at most 8 bytes", { brief: ["123456789"] }],
  ["Strict.numbers: it must be an array, but is", { numbers: new Float64Array(2) }],
  ...[-1, 0.5, NaN, "2"].map((length): [string, object] => [
    `Strict.numbers: it must be an array, but is "one of ${length}"`,
    { numbers: new Proxy([1, 2], { get: (_, name) => (name === "length" ? length : 1) }) },
  ]),
  [
    "Strict.numbers[]: it must be a number, but is undefined",
    { numbers: Array.from({ length: 2 }) },
  ],
  ["Strict.three: it must be an array of exactly 3 elements", { three: [1] }],
  ["Strict.three[]: it must be a whole number", { three: [1, 2, "3"] }],
  ["Strict.place: it must be an object, but is null", { place: null }],
  ["Strict.place.sensor: it must be a string", { place: {} }],
  ["Strict.tail: a value must have at most 16777216 bytes", { tail: "x".repeat(2 ** 24) }],
];

describe("a value that does not fit its type", () => {
  let participant: Participant;
  let writer: Writer<typeof Strict>;
  beforeAll(() => {
    participant = testParticipant();
    writer = participant.writer(participant.topic("Strict", Strict), reliable);
  });
  afterAll(() => participant.close());

  test.each(wrong)("%s", (message, change) => {
    const writing = (): void => writer.write({ ...fine, ...change });
    expect(writing).toThrow(DdsValueError);
    expect(writing).toThrow(`Cannot write t::${message}`);
    writer.write(fine);
  });

  test("is no object at all", () => {
    for (const value of [undefined, null, 1, "text"]) {
      expect(() => writer.write(value as never)).toThrow("t::Strict: it must be an object");
    }
  });

  test("has more elements than a value may have bytes", () => {
    const numbers = Array.from<number>({ length: 2 ** 21 + 1 }).fill(0);
    expect(() => writer.write({ ...fine, numbers })).toThrow(
      "t::Strict.numbers: a value must have at most 16777216 bytes",
    );
  });

  test("lacks a key, or has a wrong one, when an instance ends", () => {
    expect(() => writer.dispose({})).toThrow("t::Strict.id: it must be a string, but is undefined");
    expect(() => writer.unregister({ id: "\0" })).toThrow(
      "t::Strict.id: it must be text without NUL",
    );
  });

  test("writes another value while it is being read", () => {
    const sly = {
      ...fine,
      get tail(): string {
        writer.write(fine);
        return "";
      },
    };
    expect(() => writer.write(sly)).toThrow("Cannot write a value while another is being read");
    writer.write(fine);
  });

  test("closes the writer while it is being read", () => {
    const other = participant.writer(participant.topic("Other", Strict), reliable);
    const sly = {
      ...fine,
      get tail(): string {
        other.close();
        return "";
      },
    };
    expect(() => other.write(sly)).toThrow(DdsClosedError);
  });
});

describe("large values", () => {
  const Large = {
    kind: "struct",
    name: "t::Large",
    fields: {
      text: "string",
      block: { kind: "array", of: { kind: "string", bound: 999 }, length: 20 },
    },
  } as const;

  test("up to the limit are carried, whatever the size of the struct itself", async () => {
    await using participant = testParticipant();
    const topic = participant.topic("Large", Large);
    const [writer, reader] = [
      participant.writer(topic, reliable),
      participant.reader(topic, reliable),
    ];
    const block = Array.from({ length: 20 }, (_, i) => String(i).repeat(400));
    for (const length of [1, 5000, 2 ** 22, 2 ** 24 - 30_000]) {
      const value = { text: "x".repeat(length), block };
      writer.write(value);
      const taken: unknown[] = [];
      await until("the sample", () => {
        taken.push(...reader.takeObjects());
        return taken.length > 0;
      });
      expect(taken).toMatchObject([{ value }]);
    }
  });
});

describe("an option", () => {
  test.each([
    ["domainId must be a whole number from 0 to 230, but is 231", { domainId: 231 }],
    ["domainId must be a whole number from 0 to 230, but is 0.5", { domainId: 0.5 }],
    ["domain is not an option", { domain: 1 }],
    ["it must not contain NUL", { domainId: 1, configXml: "\0" }],
  ])("of a participant: %s", (message, options) => {
    expect(() => createParticipant(options as ParticipantOptions)).toThrow(message);
  });

  test("of a participant that C refuses leaves nothing behind", async () => {
    const domain = testDomain();
    const broken = { ...domain, configXml: "<CycloneDDS><Nonsense/></CycloneDDS>" };
    expect(() => createParticipant(broken)).toThrow(DdsError);
    await using participant = createParticipant(domain);
    expect(() => createParticipant(domain)).toThrow("once per process");
    expect(participant.closed).toBe(false);
  });

  const wrongQos: readonly (readonly [string, object])[] = [
    ["relyability is not one of", { relyability: "RELIABLE" }],
    ["reliability: it must be one of BEST_EFFORT, RELIABLE, but is BEST", { reliability: "BEST" }],
    ["history: it must be one of KEEP_LAST, KEEP_ALL", { history: { kind: "KEEP" } }],
    [
      "depth must be a whole number above 0, but is 0",
      { history: { kind: "KEEP_LAST", depth: 0 } },
    ],
    ["depth must be a whole number above 0", { history: { kind: "KEEP_LAST", depth: 2 ** 31 } }],
    ["durability: it must be one of", { durability: "LOCAL" }],
    ["ownership: it must be one of", { ownership: "MINE" }],
    ["deadlineMs: it must be milliseconds from 0 to 2^40, but is -1", { deadlineMs: -1 }],
    ["deadlineMs: it must be milliseconds", { deadlineMs: NaN }],
    ["deadlineMs: it must be milliseconds", { deadlineMs: "1" }],
    ["liveliness: it must be one of", { liveliness: { kind: "MANUAL", leaseMs: 1 } }],
    ["leaseMs: it must be milliseconds", { liveliness: { kind: "AUTOMATIC", leaseMs: -1 } }],
    ["destinationOrder: it must be one of", { destinationOrder: "BY_LUCK" }],
    ["it must not contain NUL", { partition: "a\0" }],
    ["history: depth is not one of kind", { history: { kind: "KEEP_ALL", depth: 3 } }],
    [
      "liveliness: lease is not one of kind, leaseMs",
      { liveliness: { kind: "AUTOMATIC", leaseMs: 1, lease: 1 } },
    ],
  ];
  test.each(wrongQos)("of a topic, a writer and a reader: %s", (message, qos) => {
    using participant = testParticipant();
    const topic = participant.topic("Readings", Reading);
    expect(() => participant.topic("Others", Reading, qos as Qos)).toThrow(message);
    expect(() => participant.writer(topic, qos as Qos)).toThrow(message);
    expect(() => participant.reader(topic, qos as Qos)).toThrow(message);
  });

  test.each([
    ["maxBlockingMs: it must be milliseconds", { maxBlockingMs: Infinity }],
    [
      "maxBlockingMs: it has no effect with BEST_EFFORT",
      { maxBlockingMs: 1, reliability: "BEST_EFFORT" },
    ],
    ["autodispose: it must be true or false, but is no", { autodispose: "no" }],
  ] as readonly (readonly [string, object])[])(
    "of a topic and a writer: %s, and of a reader at all",
    (message, qos) => {
      using participant = testParticipant();
      const topic = participant.topic("Readings", Reading);
      expect(() => participant.topic("Others", Reading, qos as Qos)).toThrow(message);
      expect(() => participant.writer(topic, qos as Qos)).toThrow(message);
      expect(() => participant.reader(topic, qos as Qos)).toThrow("it has no effect on a reader");
    },
  );

  test("of a writer: a time to block where its topic is best effort", () => {
    using participant = testParticipant();
    const topic = participant.topic("Readings", Reading, { reliability: "BEST_EFFORT" });
    expect(() => participant.writer(topic, { maxBlockingMs: 1 })).toThrow(
      "no effect with BEST_EFF",
    );
    participant.writer(topic, { maxBlockingMs: 1, reliability: "RELIABLE" });
  });

  test.each(["", "1abc", "a b", "a\0b", "ä", "DCPSTopic"])("of a topic: the name %j", (name) => {
    using participant = testParticipant();
    expect(() => participant.topic(name, Reading)).toThrow("Cannot create a topic: its name must");
  });

  test("of a reader: a number of samples, milliseconds to wait", async () => {
    await using participant = testParticipant();
    const topic = participant.topic("Readings", Reading);
    const [writer, reader] = [participant.writer(topic), participant.reader(topic)];
    for (const max of [-1, 0.5, NaN, -Infinity]) {
      expect(() => reader.take(() => {}, max)).toThrow("max must be a whole number from 0");
      expect(() => reader.takeObjects(max)).toThrow("max must be a whole number from 0");
      expect(() => writer.waitForAcknowledgments(-1)).toThrow("timeoutMs: it must be milliseconds");
    }
    expect(reader.takeObjects(0)).toEqual([]);
  });

  test("of a writer or a reader: a topic of another participant", () => {
    using ours = testParticipant();
    using theirs = testParticipant();
    const topic = theirs.topic("Readings", Reading);
    expect(() => ours.writer(topic)).toThrow("another participant has made it");
    expect(() => ours.reader(topic)).toThrow("another participant has made it");
  });
});
