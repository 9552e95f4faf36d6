import { describe, expect, test } from "bun:test";
import { createParticipant, DdsClosedError, DdsValueError, type Infer } from "./mod.ts";
import { testParticipant, until } from "./testing.ts";

const Inner = {
  kind: "struct",
  name: "t::Inner",
  key: ["a"],
  fields: { a: "i32", b: "string" },
} as const;
const Odd = {
  kind: "struct",
  name: "t::Odd",
  key: ["id", "k"],
  fields: {
    id: { kind: "string", bound: 16 },
    k: Inner,
    flag: "bool",
    o: "u8",
    i8: "i8",
    i16: "i16",
    u16: "u16",
    i64: "i64",
    u64: "u64",
    f: "f32",
    d: "f64",
    colour: { kind: "enum", name: "t::Colour", values: ["RED", "GREEN", "BLUE"] },
    names: { kind: "sequence", of: "string" },
    brief: { kind: "sequence", of: { kind: "string", bound: 8 }, bound: 4 },
    numbers: { kind: "sequence", of: "f64" },
    inners: { kind: "sequence", of: Inner },
    three: { kind: "array", of: "i32", length: 3 },
    nested: { kind: "sequence", of: { kind: "sequence", of: "i32" } },
    tail: "string",
  },
} as const;

const odd: Infer<typeof Odd> = {
  id: "exactly-16-bytes",
  k: { a: -7, b: "key" },
  flag: true,
  o: 255,
  i8: -128,
  i16: -32768,
  u16: 65535,
  i64: -(2n ** 63n),
  u64: 2n ** 64n - 1n,
  f: 1.5,
  d: -Number.MIN_VALUE,
  colour: "BLUE",
  names: ["", "ä€😀", "x".repeat(5000)],
  brief: ["12345678", ""],
  numbers: [Number.NaN, Number.POSITIVE_INFINITY, -0],
  inners: [
    { a: 1, b: "one" },
    { a: 2, b: "" },
  ],
  three: [1, -2, 3],
  nested: [[1, 2], [], [3]],
  tail: "end",
};

describe("a writer and a reader", () => {
  test("carry every kind of field, and the view shows what the object holds", async () => {
    await using participant = testParticipant();
    const topic = participant.topic("Odd", Odd);
    const qos = { reliability: "RELIABLE", history: { kind: "KEEP_ALL" } } as const;
    const writer = participant.writer(topic, qos);
    const reader = participant.reader(topic, qos);
    await until("a match", () => writer.matched.current === 1);
    writer.write(odd);
    writer.write(odd);
    const [first] = reader.takeObjects(1);
    expect(first?.value).toEqual(odd);
    expect(first?.info).toMatchObject({ valid: true, instanceState: "ALIVE", viewState: "NEW" });
    const seen: unknown[] = [];
    expect(
      reader.take((sample) => seen.push([sample.k.a, sample.names, sample.inners, sample.tail])),
    ).toBe(1);
    expect(seen).toEqual([[-7, odd.names, odd.inners, "end"]]);
  });

  test("wake the reader, again and again", async () => {
    await using participant = testParticipant();
    const topic = participant.topic("Inner", Inner);
    const qos = { reliability: "RELIABLE", history: { kind: "KEEP_ALL" } } as const;
    const writer = participant.writer(topic, qos);
    const reader = participant.reader(topic, qos);
    const got: number[] = [];
    reader.onData(() => reader.take((sample) => got.push(sample.a)));
    await until("a match", () => writer.matched.current === 1);
    for (let i = 0; i < 1000; i++) {
      writer.write({ a: i, b: "" });
      if (i % 100 === 0) await until("the wake-up", () => got.length > i - 50);
    }
    await until("all samples", () => got.length === 1000);
    expect(got).toEqual(Array.from({ length: 1000 }, (_, i) => i));
  });

  test("tell of disposed and unregistered instances by their keys", async () => {
    await using participant = testParticipant();
    const topic = participant.topic("Odd", Odd);
    const qos = { reliability: "RELIABLE", history: { kind: "KEEP_ALL" } } as const;
    const writer = participant.writer(topic, qos);
    const reader = participant.reader(topic, qos);
    await until("a match", () => writer.matched.current === 1);
    const key = { id: odd.id, k: odd.k };
    for (const [end, state] of [
      [() => writer.dispose(key), "NOT_ALIVE_DISPOSED"],
      [() => writer.unregister(key), "NOT_ALIVE_DISPOSED"],
    ] as const) {
      writer.write(odd);
      expect(reader.takeObjects()).toHaveLength(1);
      end();
      const [last] = reader.takeObjects();
      expect(last?.info).toMatchObject({ valid: false, instanceState: state });
      expect(last?.value as unknown).toEqual({ id: odd.id, k: { a: -7 } });
      writer.write(odd);
      writer.dispose(key);
      reader.take((sample, info) => {
        if (!info.valid) expect(() => sample.tail).toThrow("the sample holds only its key");
      });
    }
  });

  test("a late joiner gets what a transient-local writer has kept", async () => {
    await using participant = testParticipant();
    const topic = participant.topic("Inner", Inner);
    const qos = {
      reliability: "RELIABLE",
      history: { kind: "KEEP_ALL" },
      durability: "TRANSIENT_LOCAL",
    } as const;
    const writer = participant.writer(topic, qos);
    for (let i = 0; i < 20; i++) writer.write({ a: i % 4, b: String(i) });
    const reader = participant.reader(topic, qos);
    const got: string[] = [];
    await until("the history", () => {
      reader.take((sample) => got.push(sample.b));
      return got.length === 20;
    });
    expect(new Set(got).size).toBe(20);
  });

  test("an incompatible pair is not matched, and both sides name the policy", async () => {
    await using participant = testParticipant();
    const topic = participant.topic("Inner", Inner);
    const writer = participant.writer(topic, { ownership: "EXCLUSIVE" });
    const reader = participant.reader(topic, { ownership: "SHARED" });
    await until("the status", () => writer.incompatibleQos.total > 0);
    expect(writer.incompatibleQos.lastPolicy).toBe("OWNERSHIP");
    expect(reader.incompatibleQos.lastPolicy).toBe("OWNERSHIP");
    expect(writer.matched.current).toBe(0);
  });
});

describe("misuse", () => {
  const wrong: readonly (readonly [string, object])[] = [
    ["Odd.o: it must be a whole number from 0 to 255", { o: 256 }],
    ["Odd.i8: it must be a whole number", { i8: 1.5 }],
    ["Odd.u64: it must be a bigint from 0", { u64: -1n }],
    ["Odd.flag: it must be true or false", { flag: 1 }],
    ["Odd.colour: it must be one of RED, GREEN, BLUE", { colour: "PINK" }],
    ["Odd.tail: it must be text without NUL", { tail: "a\0b" }],
    ["Odd.tail: it must be text without lone surrogates", { tail: "\ud800" }],
    ["Odd.id: it must be text of at most 16 bytes", { id: "x".repeat(17) }],
    ["Odd.brief: it must be an array of at most 4 elements", { brief: ["", "", "", "", ""] }],
    ["Odd.three: it must be an array of exactly 3 elements", { three: [1] }],
    ["Odd.k: it must be an object", { k: null }],
    ["Odd.tail: a value must have at most 16777216 bytes", { tail: "x".repeat(2 ** 23) }],
  ];
  test.each(wrong)("%s", (message, change) => {
    using participant = testParticipant();
    const writer = participant.writer(participant.topic("Odd", Odd));
    const writing = () => writer.write({ ...odd, ...change });
    expect(writing).toThrow(DdsValueError);
    expect(writing).toThrow(message);
    writer.write(odd);
  });

  test("nothing works after close, and closing twice is harmless", () => {
    const participant = testParticipant();
    const topic = participant.topic("Inner", Inner);
    const writer = participant.writer(topic);
    const reader = participant.reader(topic);
    participant.close();
    participant.close();
    reader.close();
    const calls: (() => unknown)[] = [
      () => participant.topic("X", Inner),
      () => participant.writer(topic),
      () => participant.reader(topic),
      () => writer.write({ a: 1, b: "" }),
      () => writer.dispose({ a: 1 }),
      () => writer.unregister({ a: 1 }),
      () => writer.flush(),
      () => writer.waitForAcknowledgments(1),
      () => writer.matched,
      () => writer.incompatibleQos,
      () => reader.take(() => {}),
      () => reader.takeObjects(),
      () => reader.onData(() => {}),
      () => reader.matched,
      () => reader.incompatibleQos,
      () => reader.samplesLost,
      () => reader.samplesRejected,
      () => reader.deadlinesMissed,
      () => reader.liveliness,
    ];
    for (const call of calls) expect(call).toThrow(DdsClosedError);
  });

  test("a participant can be made again and again in one process", async () => {
    for (let i = 0; i < 5; i++) {
      await using participant = testParticipant();
      const topic = participant.topic("Inner", Inner);
      const reader = participant.reader(topic);
      const writer = participant.writer(topic);
      let woken = 0;
      reader.onData(() => (woken += reader.take(() => {})));
      await until("a match", () => writer.matched.current === 1);
      writer.write({ a: 1, b: "again" });
      await until("the sample", () => woken === 1);
    }
  });

  test("options are checked", () => {
    expect(() => createParticipant({ domainId: 231 })).toThrow("from 0 to 230, but is 231");
    expect(() => createParticipant({ domain: 1 } as never)).toThrow("domain is not an option");
    using participant = testParticipant();
    const topic = participant.topic("Inner", Inner);
    expect(() => participant.writer(topic, { relyability: "RELIABLE" } as never)).toThrow(
      "relyability is not one of",
    );
  });
});
