/**
 * Types as plain data, and the TypeScript type that follows from each.
 *
 * A declaration is an object literal `as const`; nothing has to be imported to write one.
 */

/** Types of one machine word or less. */
export type PrimitiveDecl =
  "bool" | "u8" | "i8" | "i16" | "u16" | "i32" | "u32" | "i64" | "u64" | "f32" | "f64";

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

export function isPrimitive(type: TypeDecl): type is PrimitiveDecl {
  return typeof type === "string" && type !== "string";
}
