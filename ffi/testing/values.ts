/** Edge values of any type. */
import { isPrimitive, type PrimitiveDecl, type StructDecl, type TypeDecl } from "../types.ts";

const NUMBERS: Readonly<Record<PrimitiveDecl, readonly unknown[]>> = {
  bool: [true, false],
  u8: [0, 255, 1],
  i8: [-128, 127, -1],
  u16: [0, 65_535, 256],
  i16: [-32_768, 32_767, -1],
  u32: [0, 2 ** 32 - 1, 2 ** 31],
  i32: [-(2 ** 31), 2 ** 31 - 1, -1],
  u64: [0n, 2n ** 64n - 1n, 2n ** 63n],
  i64: [-(2n ** 63n), 2n ** 63n - 1n, -1n],
  f32: [1.5, Infinity, -Infinity, NaN, -0, 2 ** -149, Math.fround(3.4e38), 0],
  f64: [1.5, Infinity, -Infinity, NaN, -0, Number.MIN_VALUE, -Number.MAX_VALUE, 0.1],
};
const TEXTS = ["", "plain", "ä€😀\u{10ffff}", "x".repeat(70_000), "\u0001\u007f\u0080\ufffd"];
const LENGTHS = [0, 1, 3, 1000];

/** Number of different edges that `edgeValue()` has. */
export const EDGES = 8;

/** The value of `type` at its edge number `edge`, from 0. */
export function edgeValue(type: TypeDecl, edge: number): unknown {
  if (type === "string") return TEXTS[edge % TEXTS.length];
  if (isPrimitive(type)) return NUMBERS[type][edge % NUMBERS[type].length];
  switch (type.kind) {
    case "string":
      return edgeText(type.bound, edge);
    case "enum":
      return type.values[edge % type.values.length];
    case "array":
      return elements(type.of, type.length, edge);
    case "sequence": {
      const length = LENGTHS[edge % LENGTHS.length] as number;
      // Collections of large elements stay short: a thousand texts of 70,000 bytes exceed the
      // maximum value size.
      const most = isPrimitive(type.of) ? length : Math.min(length, 5);
      return elements(type.of, Math.min(most, type.bound ?? Infinity), edge);
    }
    case "struct":
      return edgeStruct(type, edge);
  }
}

/** Neighbouring fields of a struct get different edges. */
function edgeStruct(struct: StructDecl, edge: number): Record<string, unknown> {
  const entries = Object.entries(struct.fields);
  return Object.fromEntries(entries.map(([name, type], i) => [name, edgeValue(type, edge + i)]));
}

function elements(of: TypeDecl, length: number, edge: number): unknown[] {
  return Array.from({ length }, (_, i) => edgeValue(of, edge + i));
}

/** Empty, maximum length in characters of one and of three bytes, and lengths in between. */
function edgeText(bound: number, edge: number): string {
  const texts = ["", "x".repeat(bound), "€".repeat(Math.floor(bound / 3)), "k"];
  return texts[edge % texts.length] as string;
}
