/**
 * A declaration that is no type throws before C gets it; later changes to a declaration have no
 * effect.
 */
import { describe, expect, test } from "bun:test";
import type { StructDecl, TypeDecl } from "./mod.ts";
import { Reading } from "./testing/reading.ts";
import { testParticipant, until } from "./testing/domain.ts";

const one = (type: TypeDecl, key?: string[]): StructDecl => ({
  kind: "struct",
  name: "t::One",
  ...(key === undefined ? {} : { key }),
  fields: { a: type },
});
const wide = (name: string, width: number): StructDecl => ({
  kind: "struct",
  name,
  fields: Object.fromEntries(Array.from({ length: width }, (_, i) => [`f${i}`, "u8"])),
});

describe("a declaration that cannot be a type", () => {
  const declarations: readonly (readonly [string, StructDecl])[] = [
    ["its name must be a scoped IDL name", { ...one("u8"), name: "t One" }],
    ["its name must be a scoped IDL name", { ...one("u8"), name: "t::\0" }],
    ["it must have a field", { ...one("u8"), fields: {} }],
    ["must be an IDL identifier", { ...one("u8"), fields: { "a b": "u8" } }],
    ["field Struct must not be an IDL keyword", { ...one("u8"), fields: { Struct: "u8" } }],
    ['key "b" must be one of its fields', one("u8", ["b"])],
    ["key a must not be a sequence", one({ kind: "sequence", of: "u8" }, ["a"])],
    [
      "key a.a must not be a sequence",
      one({ ...one({ kind: "sequence", of: "u8" }), name: "t::In" }, ["a"]),
    ],
    ["the bound of field a must be a whole number from 1", one({ kind: "string", bound: 0 })],
    [
      "the length of field a must be a whole number from 1",
      one({ kind: "array", of: "u8", length: 1.5 }),
    ],
    ["the number of values of field a", one({ kind: "enum", name: "t::E", values: [] })],
    ["the values of field a must differ", one({ kind: "enum", name: "t::E", values: ["A", "A"] })],
    [
      "it must have at most 16777216 bytes in C",
      one({ kind: "array", of: { kind: "array", of: "f64", length: 60_000 }, length: 60_000 }),
    ],
    [
      "it is declared twice, and differs",
      one({ kind: "struct", name: "t::One", fields: { b: "u8" } }),
    ],
    [
      "it has too many fields for one jump",
      {
        ...one("u8"),
        fields: { first: wide("t::In", 1), ...wide("t::Wide", 16_400).fields },
      },
    ],
  ];
  test.each(declarations)("%s", (message, struct) => {
    using participant = testParticipant();
    const declare = (): unknown => participant.topic("One", struct);
    expect(declare).toThrow(TypeError);
    expect(declare).toThrow(message);
  });
});

describe("what is no declaration at all", () => {
  const cyclic: Record<string, unknown> = { kind: "sequence" };
  cyclic["of"] = cyclic;
  const fields: readonly (readonly [string, unknown])[] = [
    ["t::One.a: it must be one of bool, u8,", "float"],
    ["t::One.a: it must be one of bool, u8,", undefined],
    ["t::One.a: it must be one of bool, u8,", 7],
    ['but is "of kind map"', { kind: "map", of: "u8" }],
    ["t::One.a[]: it must be one of", { kind: "sequence" }],
    ["t::One.a[]: it must be one of", { kind: "array", of: "u128", length: 2 }],
    ["the bound of field a", { kind: "string" }],
    ["the name of t::One.a: it must be a name", { kind: "enum", values: ["A"] }],
    [
      "the values of t::One.a: it must be a name, but is 1",
      { kind: "enum", name: "E", values: [1] },
    ],
    ["the values of t::One.a: it must be an array", { kind: "enum", name: "E", values: "AB" }],
    ["the fields of t::One.a: it must be an object", { kind: "struct", name: "t::In" }],
    ["it must be at most 64 types deep", cyclic],
  ];
  test.each(fields)("%s", (message, type) => {
    using participant = testParticipant();
    const declare = (): unknown => participant.topic("One", one(type as TypeDecl));
    expect(declare).toThrow(TypeError);
    expect(declare).toThrow(message);
  });

  test.each([undefined, null, "u8", "struct", { kind: "string", bound: 3 }, { kind: "enum" }])(
    "%j as a topic's type",
    (type) => {
      using participant = testParticipant();
      expect(() => participant.topic("One", type as never)).toThrow(TypeError);
    },
  );
});

test("a topic keeps to the declaration that it was made of, whatever becomes of that", async () => {
  await using participant = testParticipant();
  const tags: { kind: "sequence"; of: TypeDecl } = { kind: "sequence", of: "string" };
  const type = { ...Reading, fields: { ...Reading.fields, tags } };
  const topic = participant.topic("Readings", type);
  // C would read these numbers as addresses of text.
  tags.of = "u64";
  const [writer, reader] = [participant.writer(topic), participant.reader(topic)];
  expect(() => writer.write({ sensor: "roof", celsius: 1, tags: [1n] })).toThrow(
    "must be a string",
  );
  writer.write({ sensor: "roof", celsius: 1, tags: ["outdoor"] });
  const taken: unknown[] = [];
  await until("the sample", () => {
    taken.push(...reader.takeObjects());
    return taken.length > 0;
  });
  expect(taken).toMatchObject([{ value: { tags: ["outdoor"] } }]);
  expect(() => Object.assign(topic, { type })).toThrow(TypeError);
  expect(() => Object.assign(topic.type.fields, { tags })).toThrow(TypeError);
});
