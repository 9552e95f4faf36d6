/** Skips and reads a value of each type in a serialized sample. */
import type { Sample } from "./sample.ts";
import { readText } from "./text.ts";
import {
  isPrimitive,
  PRIMITIVES,
  type PrimitiveDecl,
  type StructDecl,
  type TypeDecl,
} from "./types.ts";

export interface Accessor {
  /** Skips the value at the reading position. */
  readonly skip: (sample: Sample) => void;
  /**
   * Reads the value that starts at `start` and allocates its JavaScript value. Except for
   * collections and structs, `start` must be aligned. The caller has skipped the value before, so
   * all its bytes are in the sample.
   */
  readonly read: (sample: Sample, start: number) => unknown;
}

export function accessorOf(type: TypeDecl): Accessor {
  if (isPrimitive(type)) return primitiveAccessor(type);
  if (type === "string") return STRING;
  switch (type.kind) {
    case "string":
      return STRING;
    case "enum":
      return enumAccessor(type.values);
    case "sequence":
      return collectionAccessor(type.of, undefined);
    case "array":
      return collectionAccessor(type.of, type.length);
    case "struct":
      return structAccessor(type);
  }
}

type Get = (view: DataView, at: number) => boolean | number | bigint;

const GET: Readonly<Record<PrimitiveDecl, Get>> = {
  bool: (view, at) => view.getUint8(at) !== 0,
  u8: (view, at) => view.getUint8(at),
  i8: (view, at) => view.getInt8(at),
  u16: (view, at) => view.getUint16(at, true),
  i16: (view, at) => view.getInt16(at, true),
  u32: (view, at) => view.getUint32(at, true),
  i32: (view, at) => view.getInt32(at, true),
  u64: (view, at) => view.getBigUint64(at, true),
  i64: (view, at) => view.getBigInt64(at, true),
  f32: (view, at) => view.getFloat32(at, true),
  f64: (view, at) => view.getFloat64(at, true),
};

function primitiveAccessor(type: PrimitiveDecl): Accessor {
  const size = PRIMITIVES[type].size;
  const get = GET[type];
  return {
    skip: (sample) => void sample.skip(size, size),
    read: (sample, start) => get(sample.block.view, start),
  };
}

function enumAccessor(values: readonly string[]): Accessor {
  return {
    skip: (sample) => void sample.skip(4, 4),
    read: (sample, start) => {
      const index = sample.block.view.getUint32(start, true);
      const value = values[index];
      if (value === undefined) {
        throw new RangeError(`Cannot read an enum: ${index} is not below ${values.length}`);
      }
      return value;
    },
  };
}

const STRING: Accessor = {
  skip: (sample) => void sample.skip(1, sample.count()),
  read: ({ block }, start) => readText(block, start),
};

/** Alignment of the start that `read` expects; 1 for types that align their parts themselves. */
function alignOf(type: TypeDecl): number {
  if (isPrimitive(type)) return PRIMITIVES[type].size;
  return type === "string" || type.kind === "string" || type.kind === "enum" ? 4 : 1;
}

/** Reads the value at the reading position, and moves the position behind it. */
function next(sample: Sample, align: number, accessor: Accessor): unknown {
  const start = sample.skip(align, 0);
  accessor.skip(sample);
  const after = sample.at;
  const value = accessor.read(sample, start);
  sample.at = after;
  return value;
}

function collectionAccessor(of: TypeDecl, fixedLength: number | undefined): Accessor {
  if (isPrimitive(of)) return primitivesAccessor(of, fixedLength);
  const element = accessorOf(of);
  const align = alignOf(of);
  const lengthOf = (sample: Sample): number => {
    // XCDR2 puts a 4-byte length before elements that are not primitive.
    if (sample.isXcdr2) sample.skip(4, 4);
    return fixedLength ?? sample.count();
  };
  return {
    skip: (sample) => {
      const length = lengthOf(sample);
      for (let i = 0; i < length; i++) element.skip(sample);
    },
    read: (sample, start) => {
      sample.at = start;
      const length = lengthOf(sample);
      const values: unknown[] = [];
      for (let i = 0; i < length; i++) values.push(next(sample, align, element));
      return values;
    },
  };
}

/** Elements of equal size, stored without gaps. */
function primitivesAccessor(of: PrimitiveDecl, fixedLength: number | undefined): Accessor {
  const size = PRIMITIVES[of].size;
  const get = GET[of];
  return {
    skip: (sample) => {
      const length = fixedLength ?? sample.count();
      if (length > 0) sample.skip(size, size * length);
    },
    read: (sample, start) => {
      sample.at = start;
      const length = fixedLength ?? sample.count();
      const values: unknown[] = [];
      if (length === 0) return values;
      const first = sample.skip(size, size * length);
      const { view } = sample.block;
      for (let i = 0; i < length; i++) values.push(get(view, first + i * size));
      return values;
    },
  };
}

function structAccessor(struct: StructDecl): Accessor {
  const fields = Object.entries(struct.fields).map(([name, type]) => ({
    name,
    align: alignOf(type),
    accessor: accessorOf(type),
  }));
  return {
    skip: (sample) => {
      for (const { accessor } of fields) accessor.skip(sample);
    },
    read: (sample, start) => {
      sample.at = start;
      const object: Record<string, unknown> = {};
      for (const { name, align, accessor } of fields) object[name] = next(sample, align, accessor);
      return object;
    },
  };
}
