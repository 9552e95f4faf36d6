/**
 * Generates the function that fills a C struct from a value: straight-line code with all names,
 * offsets and rules inserted, because one closure for each field took more than twice as long.
 * Names and values of a declaration are inserted as JSON only, numbers after `structLayout()` has
 * checked that they are numbers.
 *
 * In every generated block, `v` is the current value, `r` the object that contains it, and `at` the
 * start of the innermost struct or element.
 */
import { layoutOf, SEQUENCE_LAYOUT, structLayout } from "./layout.ts";
import { isPrimitive, type PrimitiveDecl, type StructDecl, type TypeDecl } from "./types.ts";

/**
 * Returns the source of a function `(encoder, v)`. `refuse`, `putString` and `putBounded` of
 * encode.ts must be in scope.
 */
export function putSource(struct: StructDecl, keysOnly: boolean): string {
  return `(encoder, v) => { const at = 0, { block } = encoder, { view } = block; ${putStruct(struct, 0, struct.name, keysOnly)} }`;
}

const quote = (text: string): string => JSON.stringify(text);

function refuseIf(condition: string, path: string, rule: string, is = "v"): string {
  return `if (${condition}) refuse(${quote(path)}, ${quote(rule)}, ${is});`;
}

/** Writes `v` at `offset` from `at`. */
function put(type: TypeDecl, offset: number, path: string): string {
  if (isPrimitive(type)) return putPrimitive(type, offset, path);
  if (type === "string") return `putString(encoder, at + ${offset}, v, ${quote(path)});`;
  switch (type.kind) {
    case "string":
      return `putBounded(block, at + ${offset}, v, ${type.bound}, ${quote(path)});`;
    case "enum":
      return putEnum(type.values, offset, path);
    case "sequence":
      return putSequence(type.of, type.bound, offset, path);
    case "array":
      return putArray(type.of, type.length, offset, path);
    case "struct":
      return putStruct(type, offset, path, false);
  }
}

function putStruct(struct: StructDecl, offset: number, path: string, keysOnly: boolean): string {
  const puts = structLayout(struct)
    .fields.filter(({ isKey }) => isKey || !keysOnly)
    .map((field) => {
      const inner = put(field.type, offset + field.offset, `${path}.${field.name}`);
      return `{ const v = r[${quote(field.name)}]; ${inner} }`;
    });
  const check = refuseIf(`typeof v !== "object" || v === null`, path, "an object");
  return `${check} { const r = v; ${puts.join("\n")} }`;
}

/**
 * Whole numbers of up to 32 bits: the expression that truncates them, their limits, and their
 * setter.
 */
const WHOLE: Readonly<
  Partial<Record<PrimitiveDecl, readonly [cut: string, min: number, max: number, set: string]>>
> = {
  u8: ["v & 255", 0, 255, "setUint8"],
  i8: ["v << 24 >> 24", -128, 127, "setInt8"],
  u16: ["v & 65535", 0, 65_535, "setUint16"],
  i16: ["v << 16 >> 16", -32_768, 32_767, "setInt16"],
  u32: ["v >>> 0", 0, 4_294_967_295, "setUint32"],
  i32: ["v | 0", -2_147_483_648, 2_147_483_647, "setInt32"],
};
const BIGINT = {
  u64: [0n, 2n ** 64n - 1n, "setBigUint64"],
  i64: [-(2n ** 63n), 2n ** 63n - 1n, "setBigInt64"],
} as const;

function putPrimitive(type: PrimitiveDecl, offset: number, path: string): string {
  const whole = WHOLE[type];
  if (whole !== undefined) {
    const [cut, min, max, set] = whole;
    const rule = `a whole number from ${min} to ${max}`;
    const check = refuseIf(`typeof v !== "number" || (${cut}) !== v`, path, rule);
    return `${check} view.${set}(at + ${offset}, v, true);`;
  }
  if (type === "u64" || type === "i64") {
    const [min, max, set] = BIGINT[type];
    const isWrong = `typeof v !== "bigint" || v < ${min}n || v > ${max}n`;
    const check = refuseIf(isWrong, path, `a bigint from ${min} to ${max}`);
    return `${check} view.${set}(at + ${offset}, v, true);`;
  }
  if (type === "bool") {
    const check = refuseIf(`typeof v !== "boolean"`, path, "true or false");
    return `${check} view.setUint8(at + ${offset}, v ? 1 : 0);`;
  }
  const check = refuseIf(`typeof v !== "number"`, path, "a number");
  if (type === "f64") return `${check} view.setFloat64(at + ${offset}, v, true);`;
  const isLarge = "Number.isFinite(v) && !Number.isFinite(Math.fround(v))";
  const checkRange = refuseIf(isLarge, path, "a number that fits 32 bits");
  return `${check} ${checkRange} view.setFloat32(at + ${offset}, v, true);`;
}

function putEnum(values: readonly string[], offset: number, path: string): string {
  const cases = values.map((value, i) => `case ${quote(value)}: n = ${i}; break;`);
  const check = refuseIf("true", path, `one of ${values.join(", ")}`);
  return `let n; switch (v) { ${cases.join(" ")} default: ${check} } view.setInt32(at + ${offset}, n, true);`;
}

function putSequence(
  of: TypeDecl,
  bound: number | undefined,
  offset: number,
  path: string,
): string {
  const { size, align } = layoutOf(of);
  const field = (inner: number): string => `at + ${offset + inner}`;
  return [
    refuseIf("!Array.isArray(v)", path, "an array"),
    "const { length } = v;",
    // A proxy of an array can return any length, and C would use it without a check.
    refuseIf("!Number.isInteger(length) || length < 0", path, "an array", "`one of ${length}`"),
    bound === undefined
      ? ""
      : refuseIf(
          `length > ${bound}`,
          path,
          `an array of at most ${bound} elements`,
          "`one of ${length}`",
        ),
    `const start = length === 0 ? 0 : encoder.reserve(${size} * length, ${align}, ${quote(path)});`,
    putElements(of, path),
    `view.setUint32(${field(0)}, length, true);`,
    `view.setUint32(${field(SEQUENCE_LAYOUT.length)}, length, true);`,
    `block.setAddress(${field(SEQUENCE_LAYOUT.buffer)}, length === 0 ? 0 : block.address(start));`,
    `view.setUint8(${field(SEQUENCE_LAYOUT.release)}, 0);`,
  ].join(" ");
}

function putArray(of: TypeDecl, length: number, offset: number, path: string): string {
  const is = "Array.isArray(v) ? `one of ${v.length}` : v";
  const isWrong = `!Array.isArray(v) || v.length !== ${length}`;
  const check = refuseIf(isWrong, path, `an array of exactly ${length} elements`, is);
  return `${check} const length = ${length}, start = at + ${offset}; ${putElements(of, path)}`;
}

/** Writes the `length` elements of `v` from `start` on. */
function putElements(of: TypeDecl, path: string): string {
  const { size } = layoutOf(of);
  const element = put(of, 0, `${path}[]`);
  return `{ const list = v; for (let i = 0; i < length; i++) { const at = start + i * ${size}, v = list[i]; { ${element} } } }`;
}
