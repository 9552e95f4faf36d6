/** Random types, and random values of any type, for fast-check. */
import fc from "fast-check";
import {
  isPrimitive,
  PRIMITIVES,
  type PrimitiveDecl,
  type StructDecl,
  type TypeDecl,
} from "../types.ts";

const PRIMITIVE_NAMES = Object.keys(PRIMITIVES) as PrimitiveDecl[];

/** A type whose structs and enums have no names yet. */
type Shape =
  | { readonly kind: "leaf"; readonly type: TypeDecl }
  | { readonly kind: "enum"; readonly size: number }
  | { readonly kind: "sequence"; readonly of: Shape; readonly bound: number | undefined }
  | { readonly kind: "array"; readonly of: Shape; readonly length: number }
  | { readonly kind: "struct"; readonly fields: readonly Field[] }
  /** The most recently named struct, again. */
  | { readonly kind: "again" };

interface Field {
  readonly shape: Shape;
  readonly isKey: boolean;
}

export interface TypeOptions {
  /** Whether elements of collections may be arrays, which IDL cannot express. */
  readonly arraysInside?: boolean;
}

/** Random structs in module `module`; their names are unique within one struct only. */
export function arbitraryStruct(
  module: string,
  options: TypeOptions = {},
): fc.Arbitrary<StructDecl> {
  return structShape(3, options).map((shape) => new Namer(module).struct(shape.fields, "data"));
}

function structShape(
  depth: number,
  options: TypeOptions,
): fc.Arbitrary<Extract<Shape, { kind: "struct" }>> {
  const field = fc.record({
    shape: anyShape(depth - 1, options),
    isKey: fc.boolean(),
  });
  return fc
    .array(field, { minLength: 1, maxLength: depth * 2 })
    .map((fields) => ({ kind: "struct", fields }));
}

function anyShape(depth: number, options: TypeOptions): fc.Arbitrary<Shape> {
  const leaf: fc.Arbitrary<Shape> = fc.oneof(
    fc.constantFrom(...PRIMITIVE_NAMES).map((type) => ({ kind: "leaf", type }) as const),
    fc.constant({ kind: "leaf", type: "string" } as const),
    fc
      .integer({ min: 1, max: 12 })
      .map((bound) => ({ kind: "leaf", type: { kind: "string", bound } }) as const),
    fc.integer({ min: 1, max: 5 }).map((size) => ({ kind: "enum", size }) as const),
  );
  if (depth <= 0) return leaf;
  const inner = anyShape(depth - 1, options);
  const element = options.arraysInside ? inner : inner.filter(({ kind }) => kind !== "array");
  const sequence = fc.record({
    kind: fc.constant("sequence" as const),
    of: element,
    bound: fc.option(fc.integer({ min: 1, max: 6 }), { nil: undefined }),
  });
  const array = fc.record({
    kind: fc.constant("array" as const),
    of: element,
    length: fc.integer({ min: 1, max: 4 }),
  });
  const again = fc.constant({ kind: "again" } as const);
  return fc.oneof(leaf, leaf, sequence, array, structShape(depth, options), again);
}

/** Where a type is used: as data, as a key, or below a struct all of whose fields are keys. */
type Use = "data" | "key" | "all of a key";

/** Gives names, so that the result is a declaration. */
class Namer {
  readonly #module: string;
  #count = 0;
  #last: StructDecl | undefined;

  constructor(module: string) {
    this.#module = module;
  }

  struct(fields: readonly Field[], use: Use): StructDecl {
    const name = this.#name("S");
    const mayBeKey = fields.map((field) => field.isKey && !hasCollection(field.shape));
    // Below a struct whose fields are all keys, Cyclone's IDL compiler 0.10 ignores key
    // annotations; 11 does not.
    const isKeyed = use !== "all of a key" && mayBeKey.includes(true);
    const named = fields.map(({ shape }, i) => {
      const isKey = isKeyed && mayBeKey[i] === true;
      const inner = isKey ? "key" : use === "data" || isKeyed ? "data" : "all of a key";
      return { name: `f${i}`, isKey, type: this.type(shape, inner) };
    });
    const key = named.filter(({ isKey }) => isKey).map((field) => field.name);
    const struct: StructDecl = {
      kind: "struct",
      name,
      ...(isKeyed ? { key } : {}),
      fields: Object.fromEntries(named.map((field) => [field.name, field.type])),
    };
    // A struct in a key is not reused: Cyclone's IDL compiler 0.10 would list its fields twice.
    if (use === "data" && !isKeyed) this.#last = struct;
    return struct;
  }

  type(shape: Shape, use: Use): TypeDecl {
    switch (shape.kind) {
      case "leaf":
        return shape.type;
      case "again":
        return (use === "data" ? this.#last : undefined) ?? "u8";
      case "enum": {
        const name = this.#name("E");
        const local = name.split("::")[1];
        const values = Array.from({ length: shape.size }, (_, i) => `${local}_${i}`);
        return { kind: "enum", name, values };
      }
      case "array":
        return { kind: "array", of: this.type(shape.of, use), length: shape.length };
      case "sequence": {
        const of = this.type(shape.of, use);
        return shape.bound === undefined
          ? { kind: "sequence", of }
          : { kind: "sequence", of, bound: shape.bound };
      }
      case "struct":
        return this.struct(shape.fields, use);
    }
  }

  #name(letter: string): string {
    return `${this.#module}::${letter}${this.#count++}`;
  }
}

function hasCollection(shape: Shape): boolean {
  if (shape.kind === "struct") return shape.fields.some((field) => hasCollection(field.shape));
  return shape.kind === "sequence" || shape.kind === "array";
}

/** Text that DDS can carry: without NUL, well-formed. */
const text = fc
  .string({ unit: "grapheme", maxLength: 40 })
  .map((value) => value.replaceAll("\0", "0").toWellFormed());

/** Random values of `type`. */
export function arbitraryValue(type: TypeDecl): fc.Arbitrary<unknown> {
  if (type === "string") return text;
  if (isPrimitive(type)) return primitiveValue(type);
  switch (type.kind) {
    case "string":
      return text.map((value) => cut(value, type.bound));
    case "enum":
      return fc.constantFrom(...type.values);
    case "sequence":
      return fc.array(arbitraryValue(type.of), { maxLength: type.bound ?? 8 });
    case "array":
      return fc.array(arbitraryValue(type.of), { minLength: type.length, maxLength: type.length });
    case "struct": {
      const fields = Object.entries(type.fields);
      return fc.record(
        Object.fromEntries(fields.map(([name, field]) => [name, arbitraryValue(field)])),
      );
    }
  }
}

function primitiveValue(type: PrimitiveDecl): fc.Arbitrary<unknown> {
  const integer = (min: number, max: number): fc.Arbitrary<number> => fc.integer({ min, max });
  switch (type) {
    case "bool":
      return fc.boolean();
    case "f32":
      return fc.float();
    case "f64":
      return fc.double();
    case "u64":
      return fc.bigInt({ min: 0n, max: 2n ** 64n - 1n });
    case "i64":
      return fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n });
    case "u8":
      return integer(0, 255);
    case "i8":
      return integer(-128, 127);
    case "u16":
      return integer(0, 65_535);
    case "i16":
      return integer(-32_768, 32_767);
    case "u32":
      return integer(0, 2 ** 32 - 1);
    case "i32":
      return integer(-(2 ** 31), 2 ** 31 - 1);
  }
}

/** The longest prefix of `value` that has at most `bytes` bytes. */
function cut(value: string, bytes: number): string {
  let room = bytes;
  let kept = "";
  for (const character of value) {
    room -= Buffer.byteLength(character);
    if (room < 0) break;
    kept += character;
  }
  return kept;
}
