/**
 * Values as the text that peer.c reads and prints: one token per number or text, in the order of
 * fields.
 */
import { isPrimitive, type PrimitiveDecl, type StructDecl, type TypeDecl } from "../types.ts";

const bits = new DataView(new ArrayBuffer(8));
const hex = (value: bigint | number, digits: number): string =>
  value.toString(16).padStart(digits, "0");

/** The tokens of a value of `type`. */
export function tokensOf(type: TypeDecl, value: unknown): string {
  const tokens: string[] = [];
  add(tokens, type, value);
  return tokens.join(" ");
}

/** The tokens of the fields that identify the instance of `value`. */
export function keyTokensOf(struct: StructDecl, value: unknown): string {
  const tokens: string[] = [];
  addKey(tokens, struct, value as Record<string, unknown>);
  return tokens.join(" ");
}

/** Names of the key's fields: the declared ones, or all of a nested struct that declares none. */
export const keyFields = ({ key, fields }: StructDecl): readonly string[] =>
  key ?? Object.keys(fields);

function addKey(tokens: string[], struct: StructDecl, value: Record<string, unknown>): void {
  for (const [name, type] of Object.entries(struct.fields)) {
    if (!keyFields(struct).includes(name)) continue;
    if (typeof type !== "string" && type.kind === "struct") {
      addKey(tokens, type, value[name] as Record<string, unknown>);
    } else add(tokens, type, value[name]);
  }
}

function add(tokens: string[], type: TypeDecl, value: unknown): void {
  if (type === "string") tokens.push(textToken(value as string));
  else if (isPrimitive(type)) tokens.push(primitiveToken(type, value));
  else {
    switch (type.kind) {
      case "string":
        tokens.push(textToken(value as string));
        break;
      case "enum":
        tokens.push(String(type.values.indexOf(value as string)));
        break;
      case "sequence":
      case "array": {
        const elements = value as readonly unknown[];
        if (type.kind === "sequence") tokens.push(String(elements.length));
        for (const element of elements) add(tokens, type.of, element);
        break;
      }
      case "struct":
        for (const [name, field] of Object.entries(type.fields)) {
          add(tokens, field, (value as Record<string, unknown>)[name]);
        }
    }
  }
}

const textToken = (text: string): string => `x${Buffer.from(text, "utf8").toString("hex")}`;

function primitiveToken(type: PrimitiveDecl, value: unknown): string {
  if (type === "bool") return value === true ? "1" : "0";
  if (type === "f32") {
    bits.setFloat32(0, value as number);
    return hex(bits.getUint32(0), 8);
  }
  if (type === "f64") {
    bits.setFloat64(0, value as number);
    return hex(bits.getBigUint64(0), 16);
  }
  return String(value);
}
