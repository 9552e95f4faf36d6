/**
 * Types as plain data, and the TypeScript type that follows from each.
 *
 * A declaration is an object literal `as const`; nothing has to be imported to write one.
 */

/** Types of one machine word or less: bytes, name in IDL, and the suffix of `DataView` methods. */
export const PRIMITIVES = {
  bool: { size: 1, idl: "boolean", view: "Uint8" },
  u8: { size: 1, idl: "uint8", view: "Uint8" },
  i8: { size: 1, idl: "int8", view: "Int8" },
  i16: { size: 2, idl: "int16", view: "Int16" },
  u16: { size: 2, idl: "uint16", view: "Uint16" },
  i32: { size: 4, idl: "int32", view: "Int32" },
  u32: { size: 4, idl: "uint32", view: "Uint32" },
  i64: { size: 8, idl: "int64", view: "BigInt64" },
  u64: { size: 8, idl: "uint64", view: "BigUint64" },
  f32: { size: 4, idl: "float", view: "Float32" },
  f64: { size: 8, idl: "double", view: "Float64" },
} as const;
export type PrimitiveDecl = keyof typeof PRIMITIVES;

export interface BoundedStringDecl {
  readonly kind: "string";
  /** Maximum number of bytes in UTF-8, without the terminating NUL. */
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
  /** Maximum number of elements; absent: limited by memory only. */
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

/** The TypeScript type of a declaration's values. 64-bit integers are bigint. */
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

export function isPrimitive(type: TypeDecl): type is PrimitiveDecl {
  return typeof type === "string" && type !== "string";
}
