/**
 * Converts IDL into declarations with another library's parser, which shares no code with idl.ts.
 * Sequences of sequences are not supported.
 */
import { type IDLMessageDefinitionField, parseIDL } from "@foxglove/omgidl-parser";
import type { EnumDecl, PrimitiveDecl, StructDecl, TypeDecl } from "../types.ts";

const PRIMITIVES: Readonly<Record<string, PrimitiveDecl>> = {
  bool: "bool",
  uint8: "u8",
  int8: "i8",
  int16: "i16",
  uint16: "u16",
  int32: "i32",
  uint32: "u32",
  int64: "i64",
  uint64: "u64",
  float32: "f32",
  float64: "f64",
};

/** Returns the structs of `text` by their full names; throws for unsupported IDL. */
export function parseIdl(text: string): ReadonlyMap<string, StructDecl> {
  const enums = new Map<string, EnumDecl>();
  const structs = new Map<string, StructDecl>();
  // The parser returns types in the order of their dependencies; a module with constants is an
  // enum.
  for (const { name = "", aggregatedKind, ...definition } of parseIDL(text)) {
    if (aggregatedKind === "union") throw new SyntaxError(`Cannot read IDL: ${name} is a union`);
    const fields = (definition as { definitions: IDLMessageDefinitionField[] }).definitions;
    if (aggregatedKind === "module") {
      enums.set(name, { kind: "enum", name, values: fields.map((field) => field.name) });
      continue;
    }
    const key = fields.filter(({ annotations }) => annotations?.["key"]).map((field) => field.name);
    structs.set(name, {
      kind: "struct",
      name,
      ...(key.length === 0 ? {} : { key }),
      fields: Object.fromEntries(
        fields.map((field) => [field.name, typeOf(field, enums, structs)]),
      ),
    });
  }
  return structs;
}

function typeOf(
  field: IDLMessageDefinitionField,
  enums: ReadonlyMap<string, EnumDecl>,
  structs: ReadonlyMap<string, StructDecl>,
): TypeDecl {
  const { arrayLengths = [], arrayUpperBound, isArray } = field;
  let type = elementOf(field, enums, structs);
  if (isArray === true && arrayLengths.length === 0) {
    const bound = arrayUpperBound === undefined ? {} : { bound: arrayUpperBound };
    type = { kind: "sequence", of: type, ...bound };
  }
  for (const length of arrayLengths.toReversed()) type = { kind: "array", of: type, length };
  return type;
}

function elementOf(
  { name, type, enumType, upperBound }: IDLMessageDefinitionField,
  enums: ReadonlyMap<string, EnumDecl>,
  structs: ReadonlyMap<string, StructDecl>,
): TypeDecl {
  if (type === "string") {
    return upperBound === undefined ? "string" : { kind: "string", bound: upperBound };
  }
  const found =
    enumType === undefined ? (PRIMITIVES[type] ?? structs.get(type)) : enums.get(enumType);
  if (found === undefined) throw new SyntaxError(`Cannot read IDL: ${name} is of type ${type}`);
  return found;
}
