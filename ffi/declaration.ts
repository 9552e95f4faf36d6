/**
 * Checks declarations, and makes copies of them.
 *
 * C keeps the layout of the type from which a topic was made. Therefore the topic has its own copy,
 * which cannot change.
 */
import { PRIMITIVES, type PrimitiveDecl, type StructDecl, type TypeDecl } from "./types.ts";

const aType = (): string =>
  `one of ${Object.keys(PRIMITIVES).join(", ")}, string, or an object of kind string, enum, sequence, array, struct`;
/** Maximum nesting of types; C visits them by recursion. */
const MAX_DEPTH = 64;

/**
 * Returns a deeply frozen copy of a declaration. Throws TypeError when it is not a declaration: a
 * kind that does not exist, a name that is not a string, a type that contains itself.
 */
export function frozenCopy<D extends StructDecl>(struct: D): D {
  const copy = copyType(struct, "a topic's type", 0);
  const kind = typeof copy === "string" ? copy : copy.kind;
  if (kind !== "struct") refuse("a topic's type", "a struct", kind);
  return copy as D;
}

function refuse(what: string, rule: string, is: unknown): never {
  const text = typeof is === "string" ? JSON.stringify(is) : String(is);
  throw new TypeError(`Cannot declare ${what}: it must be ${rule}, but is ${text}`);
}

function object(value: unknown, what: string, rule: string): Record<string, unknown> {
  if (typeof value !== "object" || value === null) refuse(what, rule, value);
  return value as Record<string, unknown>;
}

function texts(value: unknown, what: string): readonly string[] {
  if (!Array.isArray(value)) refuse(what, "an array of names", value);
  return Object.freeze(value.map((item) => text(item, what)));
}

function text(value: unknown, what: string): string {
  if (typeof value !== "string") refuse(what, "a name", value);
  return value;
}

function isSimple(type: unknown): type is PrimitiveDecl | "string" {
  return typeof type === "string" && (type === "string" || Object.hasOwn(PRIMITIVES, type));
}

/** Reads each property once, so that a getter cannot return another value later. */
function copyType(type: unknown, path: string, depth: number): TypeDecl {
  if (isSimple(type)) return type;
  if (depth > MAX_DEPTH) refuse(path, `at most ${MAX_DEPTH} types deep`, "more");
  const { kind, name, values, key, fields, of, bound, length } = object(type, path, aType());
  const bounded = bound === undefined ? {} : { bound: bound as number };
  switch (kind) {
    case "string":
      return Object.freeze({ kind, bound: bound as number });
    case "enum":
      return Object.freeze({
        kind,
        name: text(name, `the name of ${path}`),
        values: texts(values, `the values of ${path}`),
      });
    case "sequence":
      return Object.freeze({ kind, of: copyType(of, `${path}[]`, depth + 1), ...bounded });
    case "array":
      return Object.freeze({
        kind,
        of: copyType(of, `${path}[]`, depth + 1),
        length: length as number,
      });
    case "struct": {
      // Paths start with the name of the outermost type.
      const own = text(name, `the name of ${path}`);
      const at = depth === 0 ? own : path;
      const copied = Object.entries(object(fields, `the fields of ${at}`, "an object")).map(
        ([field, inner]) => [field, copyType(inner, `${at}.${field}`, depth + 1)] as const,
      );
      return Object.freeze({
        kind,
        name: own,
        ...(key === undefined ? {} : { key: texts(key, `the key of ${at}`) }),
        fields: Object.freeze(Object.fromEntries(copied)),
      });
    }
    default:
      return refuse(path, aType(), `of kind ${String(kind)}`);
  }
}

const IDENTIFIER = /^[A-Za-z][A-Za-z0-9_]*$/;
const SCOPED = /^([A-Za-z][A-Za-z0-9_]*::)*[A-Za-z][A-Za-z0-9_]*$/;

/** Reserved words of IDL, in any case. Source: OMG IDL 4.2, 7.2.4. */
const IDL_KEYWORDS: ReadonlySet<string> = new Set(
  (
    "abstract any alias attribute bitfield bitmask bitset boolean case char component connector const consumes " +
    "context custom default double emits enum eventtype exception factory false finder fixed float getraises " +
    "home import in inout interface local long manages map mirrorport module multiple native object octet " +
    "oneway out port porttype primarykey private provides public publishes raises readonly sequence setraises " +
    "short string struct supports switch true truncatable typedef typeid typename typeprefix unsigned union " +
    "uses valuebase valuetype void wchar wstring int8 uint8 int16 int32 int64 uint16 uint32 uint64"
  ).split(" "),
);

/** Throws TypeError with the rule when a declaration cannot be a DDS type. */
export function checkStruct(struct: StructDecl): void {
  const wrong = (rule: string): never => {
    throw new TypeError(`Cannot declare struct ${struct.name}: ${rule}`);
  };
  if (!SCOPED.test(struct.name)) wrong("its name must be a scoped IDL name");
  const names = Object.keys(struct.fields);
  if (names.length === 0) wrong("it must have a field");
  for (const name of names) {
    if (!IDENTIFIER.test(name)) wrong(`field ${JSON.stringify(name)} must be an IDL identifier`);
    if (IDL_KEYWORDS.has(name.toLowerCase())) wrong(`field ${name} must not be an IDL keyword`);
  }
  for (const name of struct.key ?? []) {
    const type = struct.fields[name];
    if (type === undefined) wrong(`key ${JSON.stringify(name)} must be one of its fields`);
    else checkKey(name, type, wrong);
  }
  for (const [name, type] of Object.entries(struct.fields)) checkBounds(name, type, wrong);
}

function checkKey(name: string, type: TypeDecl, wrong: (rule: string) => never): void {
  if (typeof type === "string") return;
  if (type.kind === "sequence" || type.kind === "array") {
    wrong(`key ${name} must not be a sequence or an array`);
  }
  if (type.kind !== "struct") return;
  for (const inner of type.key ?? Object.keys(type.fields)) {
    checkKey(`${name}.${inner}`, type.fields[inner] ?? "u8", wrong);
  }
}

function checkBounds(name: string, type: TypeDecl, wrong: (rule: string) => never): void {
  if (typeof type === "string") return;
  const limit = (what: string, value: number, max: number): void => {
    if (!Number.isInteger(value) || value < 1 || value > max) {
      wrong(`${what} of field ${name} must be a whole number from 1 to ${max}, but is ${value}`);
    }
  };
  switch (type.kind) {
    case "string":
      limit("the bound", type.bound, 65_535);
      break;
    case "enum":
      limit("the number of values", type.values.length, 65_535);
      if (new Set(type.values).size < type.values.length) {
        wrong(`the values of field ${name} must differ`);
      }
      break;
    case "sequence":
      if (type.bound !== undefined) limit("the bound", type.bound, 2 ** 24);
      checkBounds(name, type.of, wrong);
      break;
    case "array":
      limit("the length", type.length, 65_535);
      checkBounds(name, type.of, wrong);
      break;
    case "struct":
      break;
  }
}
