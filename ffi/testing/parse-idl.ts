/** Reads IDL of the kind that idl.ts writes back into declarations: one module of enums and final structs. */
import type { PrimitiveDecl, StructDecl, TypeDecl } from "../types.ts";

const PRIMITIVES: Readonly<Record<string, PrimitiveDecl>> = {
  boolean: "bool",
  uint8: "u8",
  int8: "i8",
  int16: "i16",
  uint16: "u16",
  int32: "i32",
  uint32: "u32",
  int64: "i64",
  uint64: "u64",
  float: "f32",
  double: "f64",
};

/** Returns the structs of `text` by their full names; throws SyntaxError for what it does not know. */
export function parseIdl(text: string): ReadonlyMap<string, StructDecl> {
  const module = /module (\w+) \{([\s\S]*)\};/.exec(text.replaceAll(/\/\/.*/g, ""));
  const [, scope, body] = module ?? [];
  if (scope === undefined || body === undefined) {
    throw new SyntaxError("Cannot read IDL: it must hold one module");
  }
  const known = new Map<string, TypeDecl>();
  const structs = new Map<string, StructDecl>();
  for (const [, kind, name, inside] of body.matchAll(/(enum|struct) (\w+) \{([^}]*)\}/g)) {
    const full = `${scope}::${name}`;
    if (kind === "enum") {
      const values = (inside ?? "").split(",").map((value) => value.trim());
      known.set(name as string, { kind: "enum", name: full, values });
    } else {
      const struct = parseStruct(full, inside ?? "", known);
      known.set(name as string, struct);
      structs.set(full, struct);
    }
  }
  return structs;
}

function parseStruct(
  name: string,
  inside: string,
  known: ReadonlyMap<string, TypeDecl>,
): StructDecl {
  const fields: Record<string, TypeDecl> = {};
  const key: string[] = [];
  for (const line of inside.split(";").map((part) => part.trim())) {
    if (line === "") continue;
    const match = /^(@key )?(.+) (\w+)(?:\[(\d+)\])?$/.exec(line);
    const [, isKey, type, field, length] = match ?? [];
    if (type === undefined || field === undefined)
      throw new SyntaxError(`Cannot read IDL: ${line}`);
    const of = parseType(type, known);
    fields[field] = length === undefined ? of : { kind: "array", of, length: Number(length) };
    if (isKey !== undefined) key.push(field);
  }
  return { kind: "struct", name, ...(key.length === 0 ? {} : { key }), fields };
}

function parseType(text: string, known: ReadonlyMap<string, TypeDecl>): TypeDecl {
  if (text === "string") return "string";
  const bounded = /^string<(\d+)>$/.exec(text);
  if (bounded !== null) return { kind: "string", bound: Number(bounded[1]) };
  const sequence = /^sequence<(.*?)(?: |, (\d+))?>$/.exec(text);
  if (sequence !== null) {
    const of = parseType(sequence[1] as string, known);
    return sequence[2] === undefined
      ? { kind: "sequence", of }
      : { kind: "sequence", of, bound: Number(sequence[2]) };
  }
  const type = PRIMITIVES[text] ?? known.get(text);
  if (type === undefined) throw new SyntaxError(`Cannot read IDL: ${text} is not a known type`);
  return type;
}
