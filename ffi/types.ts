/**
 * Types as plain data, and what follows from them: the TypeScript type and the C layout.
 *
 * A declaration is an object literal `as const`; nothing has to be imported to write one.
 */

import { checkStruct } from "./declaration.ts";

/** Types of one machine word or less. */
export type PrimitiveDecl =
  "bool" | "u8" | "i8" | "i16" | "u16" | "i32" | "u32" | "i64" | "u64" | "f32" | "f64";

export interface BoundedStringDecl {
  readonly kind: "string";
  /** Most bytes of UTF-8, the terminating NUL not counted. */
  readonly bound: number;
}

export interface EnumDecl {
  readonly kind: "enum";
  /** Scoped IDL name, such as `cms::ThreatLevel`. */
  readonly name: string;
  readonly values: readonly string[];
}

export interface SequenceDecl {
  readonly kind: "sequence";
  readonly of: TypeDecl;
  /** Most elements; absent: no limit but memory. */
  readonly bound?: number;
}

export interface ArrayDecl {
  readonly kind: "array";
  readonly of: TypeDecl;
  readonly length: number;
}

export interface StructDecl {
  readonly kind: "struct";
  /** Scoped IDL name, such as `cms::SourceTrack`. */
  readonly name: string;
  /** Names of the fields that identify an instance. */
  readonly key?: readonly string[];
  readonly fields: Readonly<Record<string, TypeDecl>>;
}

export type TypeDecl =
  PrimitiveDecl | "string" | BoundedStringDecl | EnumDecl | SequenceDecl | ArrayDecl | StructDecl;

/** The TypeScript value that a declaration stands for. 64-bit integers are bigint. */
export type Infer<D> = D extends "bool"
  ? boolean
  : D extends "i64" | "u64"
    ? bigint
    : D extends PrimitiveDecl
      ? number
      : D extends "string" | { readonly kind: "string" }
        ? string
        : D extends { readonly kind: "enum"; readonly values: readonly (infer V)[] }
          ? V
          : D extends { readonly kind: "sequence" | "array"; readonly of: infer E }
            ? readonly Infer<E>[]
            : D extends { readonly kind: "struct"; readonly fields: infer F }
              ? { readonly [K in keyof F]: Infer<F[K]> }
              : never;

/** Size and alignment of a C value, bytes. */
export interface Layout {
  readonly size: number;
  readonly align: number;
}

/** A field of a C struct. */
export interface FieldLayout extends Layout {
  readonly name: string;
  readonly type: TypeDecl;
  readonly offset: number;
  readonly isKey: boolean;
}

export interface StructLayout extends Layout {
  readonly fields: readonly FieldLayout[];
}

export const PRIMITIVE_SIZE: Readonly<Record<PrimitiveDecl, 1 | 2 | 4 | 8>> = {
  bool: 1,
  u8: 1,
  i8: 1,
  i16: 2,
  u16: 2,
  i32: 4,
  u32: 4,
  i64: 8,
  u64: 8,
  f32: 4,
  f64: 8,
};

/** Largest value that can be written, bytes as a C struct with all that it points to. */
export const MAX_VALUE_BYTES = 16 * 1024 * 1024;

const POINTER: Layout = { size: 8, align: 8 };
/** `uint32_t _maximum, _length; T *_buffer; bool _release;` */
export const SEQUENCE_LAYOUT = { size: 24, align: 8, length: 4, buffer: 8, release: 16 } as const;

export const alignUp = (offset: number, align: number): number => Math.ceil(offset / align) * align;

export function isPrimitive(type: TypeDecl): type is PrimitiveDecl {
  return typeof type === "string" && type !== "string";
}

/** Size and alignment of a type as a C value, as a C compiler for a 64-bit machine lays it out. */
export function layoutOf(type: TypeDecl): Layout {
  if (type === "string") return POINTER;
  if (isPrimitive(type)) return { size: PRIMITIVE_SIZE[type], align: PRIMITIVE_SIZE[type] };
  switch (type.kind) {
    case "string":
      return { size: type.bound + 1, align: 1 };
    case "enum":
      return { size: 4, align: 4 };
    case "sequence":
      return SEQUENCE_LAYOUT;
    case "array": {
      const element = layoutOf(type.of);
      return { size: element.size * type.length, align: element.align };
    }
    case "struct":
      return structLayout(type);
  }
}

const layouts = new WeakMap<StructDecl, StructLayout>();

/** The C layout of a struct. */
export function structLayout(struct: StructDecl): StructLayout {
  const known = layouts.get(struct);
  if (known !== undefined) return known;
  checkStruct(struct);
  const fields: FieldLayout[] = [];
  let offset = 0;
  let align = 1;
  for (const [name, type] of Object.entries(struct.fields)) {
    const layout = layoutOf(type);
    offset = alignUp(offset, layout.align);
    const isKey = struct.key?.includes(name) === true;
    fields.push({ name, type, offset, isKey, size: layout.size, align: layout.align });
    offset += layout.size;
    align = Math.max(align, layout.align);
  }
  const layout = { fields, align, size: alignUp(offset, align) };
  if (layout.size > MAX_VALUE_BYTES) {
    throw new TypeError(
      `Cannot declare struct ${struct.name}: it must have at most ${MAX_VALUE_BYTES} bytes in C, but has ${layout.size}`,
    );
  }
  layouts.set(struct, layout);
  return layout;
}
