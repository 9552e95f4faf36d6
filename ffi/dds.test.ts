import { describe, expect, test } from "bun:test";
import type { Infer } from "./mod.ts";
import { testParticipant, until } from "./testing/domain.ts";

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

  test("carry samples of every size, many at once", async () => {
    await using participant = testParticipant();
    const topic = participant.topic("Inner", Inner);
    const qos = { reliability: "RELIABLE", history: { kind: "KEEP_ALL" } } as const;
    const writer = participant.writer(topic, qos);
    const reader = participant.reader(topic, qos);
    await until("a match", () => writer.matched.current === 1);
    // More bytes than the reader's block holds, in total and in the last text alone.
    const texts = Array.from({ length: 600 }, (_, i) => "x".repeat(i * 7)).concat(
      "y".repeat(200_000),
    );
    for (const b of texts) writer.write({ a: 1, b });
    const seen: string[] = [];
    expect(reader.take(({ b }) => seen.push(b), 500)).toBe(500);
    expect(reader.takeObjects().map(({ value }) => seen.push(value.b)).length).toBe(101);
    expect(seen.map((text) => text.length)).toEqual(texts.map((text) => text.length));
    expect(seen).toEqual(texts);
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

  test("work in participant after participant of one process", async () => {
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
});
