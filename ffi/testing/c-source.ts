/**
 * Generates the type-dependent part of the C peer. It names fields, and leaves layouts to the C
 * compiler.
 */
import { isPrimitive, type PrimitiveDecl, type StructDecl, type TypeDecl } from "../types.ts";
import { keyFields } from "./tokens.ts";

/** Topics by name, each with its type. */
export type Topics = Readonly<Record<string, StructDecl>>;

const cName = (name: string): string => name.replaceAll("::", "_");

/** How the C peer reads and prints a number, by type. */
const WORDS: Readonly<Record<PrimitiveDecl, "i64" | "u64" | "f32" | "f64">> = {
  bool: "u64",
  u8: "u64",
  i8: "i64",
  u16: "u64",
  i16: "i64",
  u32: "u64",
  i32: "i64",
  u64: "u64",
  i64: "i64",
  f32: "f32",
  f64: "f64",
};

/** The text of topics.h for types whose IDL was compiled to `header`. */
export function topicsHeader(header: string, topics: Topics): string {
  const entries = Object.entries(topics);
  const rows = entries.map(([topic, struct]) => {
    const c = cName(struct.name);
    return `  { "${topic}", &${c}_desc, sizeof (${c}), get_${c}, put_${c}, get_key_${c}, put_key_${c} },`;
  });
  const functions = new Map(entries.map(([, struct]) => [struct.name, functionsOf(struct)]));
  return [
    `#include "${header}"`,
    ...functions.values(),
    `static const struct type types[] = {\n${rows.join("\n")}\n};\n`,
  ].join("\n\n");
}

function functionsOf(struct: StructDecl): string {
  const c = cName(struct.name);
  const all = Object.keys(struct.fields);
  const keys = struct.key ?? [];
  return [
    `static void get_${c}(void *sample) {\n  ${c} *v = sample;\n${fields("get", struct, "v->", all)}}`,
    `static void put_${c}(const void *sample) {\n  const ${c} *v = sample;\n${fields("put", struct, "v->", all)}}`,
    `static void get_key_${c}(void *sample) {\n  ${c} *v = sample;\n  (void) v;\n${fields("get", struct, "v->", keys, true)}}`,
    `static void put_key_${c}(const void *sample) {\n  const ${c} *v = sample;\n  (void) v;\n${fields("put", struct, "v->", keys, true)}}`,
  ].join("\n\n");
}

type Verb = "get" | "put";

function fields(
  verb: Verb,
  { fields: declared }: StructDecl,
  at: string,
  names: readonly string[],
  keysOnly = false,
  depth = 0,
): string {
  return Object.entries(declared)
    .filter(([name]) => names.includes(name))
    .map(([name, type]) => statement(verb, type, `${at}${name}`, depth, keysOnly))
    .join("");
}

function statement(
  verb: Verb,
  type: TypeDecl,
  at: string,
  depth: number,
  keysOnly: boolean,
): string {
  if (type === "string") {
    return verb === "get" ? `  ${at} = get_string();\n` : `  put_text(${at});\n`;
  }
  if (isPrimitive(type)) {
    const word = WORDS[type];
    return verb === "get" ? `  ${at} = get_${word}();\n` : `  put_${word}(${at});\n`;
  }
  switch (type.kind) {
    case "string":
      return verb === "get" ? `  get_text(${at}, sizeof ${at});\n` : `  put_text(${at});\n`;
    case "enum":
      return verb === "get" ? `  ${at} = get_u64();\n` : `  put_u64(${at});\n`;
    case "struct": {
      const names = keysOnly ? keyFields(type) : Object.keys(type.fields);
      return fields(verb, type, `${at}.`, names, keysOnly, depth);
    }
    case "array":
      return loop(verb, type.of, at, `${type.length}`, depth);
    case "sequence": {
      const elements = loop(verb, type.of, `${at}._buffer`, `${at}._length`, depth);
      if (verb === "put") return `  put_u64(${at}._length);\n${elements}`;
      const made = [
        `  ${at}._length = ${at}._maximum = (uint32_t) get_u64();`,
        `  ${at}._buffer = calloc(${at}._length + 1, sizeof *${at}._buffer);`,
        `  ${at}._release = true;`,
      ];
      return `${made.join("\n")}\n${elements}`;
    }
  }
}

function loop(verb: Verb, of: TypeDecl, at: string, length: string, depth: number): string {
  const i = `i${depth}`;
  const body = statement(verb, of, `${at}[${i}]`, depth + 1, false);
  return `  for (uint32_t ${i} = 0; ${i} < ${length}; ${i}++) {\n${body}  }\n`;
}
