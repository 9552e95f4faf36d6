/**
 * Reads OTLP messages that are not validated yet.
 *
 * The same code reads the output of protobufjs (bytes, Long) and of JSON.parse for OTLP/JSON
 * (hexadecimal ids, decimal strings), because they differ only in the leaves. A value of the wrong
 * type throws MalformedError.
 */

/** The payload is not OTLP; `message` names the field and the rule. */
export class MalformedError extends Error {}

/** A message of either encoding, with unchecked fields. */
export type Message = Readonly<Record<string, unknown>>;

const EMPTY: Message = {};
const EMPTY_LIST: readonly Message[] = [];

/** A message field; an absent one is the empty message. */
export function messageOf(value: unknown, field: string): Message {
  if (value === undefined || value === null) return EMPTY;
  if (typeof value !== "object" || Array.isArray(value)) {
    throw new MalformedError(`${field} must be a message, but is ${typeof value}`);
  }
  return value as Message;
}

/** A repeated message field; an absent one is the empty list. */
export function listOf(value: unknown, field: string): readonly Message[] {
  if (value === undefined || value === null) return EMPTY_LIST;
  if (!Array.isArray(value)) throw new MalformedError(`${field} must be a list`);
  for (const item of value as unknown[]) {
    if (typeof item !== "object" || item === null) {
      throw new MalformedError(`${field} must be a list of messages`);
    }
  }
  return value as Message[];
}

/** A string field; an absent one is the empty string. */
export function textOf(value: unknown, field: string): string {
  if (value === undefined || value === null) return "";
  if (typeof value !== "string") throw new MalformedError(`${field} must be a string`);
  return value;
}

/** A small whole number, or (in JSON) the name of an enumerator in `names`. */
export function numberOf(value: unknown, field: string, names?: readonly string[]): number {
  if (value === undefined || value === null) return 0;
  if (typeof value === "number" && Number.isFinite(value)) return value;
  if (typeof value === "string") {
    const at = names?.indexOf(value) ?? -1;
    if (at >= 0) return at;
    if (/^-?\d+$/.test(value)) return Number(value);
  }
  throw new MalformedError(`${field} must be a number`);
}

/** A double; JSON also allows "NaN", "Infinity" and "-Infinity". */
export function doubleOf(value: unknown, field: string): number {
  if (value === undefined || value === null) return 0;
  if (typeof value === "number") return value;
  if (typeof value === "string" && /^(NaN|-?Infinity|-?[\d.]+([eE][+-]?\d+)?)$/.test(value)) {
    return Number(value);
  }
  throw new MalformedError(`${field} must be a number`);
}

interface LongLike {
  readonly low: number;
  readonly high: number;
}

/** A 64-bit integer, exact. */
export function bigintOf(value: unknown, field: string): bigint {
  if (value === undefined || value === null) return 0n;
  if (typeof value === "object" && "low" in value && "high" in value) {
    const { low, high } = value as LongLike;
    return (BigInt(high) << 32n) | BigInt(low >>> 0);
  }
  if (typeof value === "string" && /^-?\d{1,20}$/.test(value)) return BigInt(value);
  if (typeof value === "number" && Number.isInteger(value)) return BigInt(value);
  throw new MalformedError(`${field} must be a 64-bit integer`);
}

const MAX_INT64 = 2n ** 63n - 1n;

/** A time in nanoseconds since the Unix epoch, limited to the store's range. */
export function timeOf(value: unknown, field: string): bigint {
  const time = BigInt.asUintN(64, bigintOf(value, field));
  return time > MAX_INT64 ? MAX_INT64 : time;
}

/** An id in lower-case hexadecimal; empty when absent. */
export function idOf(value: unknown, field: string): string {
  if (value === undefined || value === null) return "";
  if (value instanceof Uint8Array) return value.toHex();
  // protobufjs' value of an absent bytes field.
  if (Array.isArray(value) && value.length === 0) return "";
  if (typeof value === "string" && /^[0-9a-fA-F]*$/.test(value)) return value.toLowerCase();
  throw new MalformedError(`${field} must be hexadecimal`);
}

/** An attribute's value in OTLP/JSON, such as `{"intValue":"5"}`. */
export type JsonValue =
  | { readonly stringValue: string }
  | { readonly boolValue: boolean }
  | { readonly intValue: string }
  | { readonly doubleValue: number | string }
  | { readonly bytesValue: string }
  | { readonly arrayValue: { readonly values: readonly JsonValue[] } }
  | { readonly kvlistValue: { readonly values: readonly JsonAttribute[] } }
  | Record<string, never>;

export interface JsonAttribute {
  readonly key: string;
  readonly value: JsonValue;
}

/** Maximum nesting of values; OTLP's official decoders have a similar limit. */
const MAX_DEPTH = 32;

/** Whether a message has a field. */
export const has = (message: Message, key: string): boolean =>
  Object.hasOwn(message, key) && message[key] !== null && message[key] !== undefined;

/** Reads an AnyValue. */
export function anyValue(raw: unknown, depth = 0): JsonValue {
  if (depth > MAX_DEPTH) throw new MalformedError(`values nest deeper than ${MAX_DEPTH}`);
  const value = messageOf(raw, "value");
  if (has(value, "stringValue"))
    return { stringValue: textOf(value["stringValue"], "stringValue") };
  if (has(value, "intValue")) {
    return { intValue: BigInt.asIntN(64, bigintOf(value["intValue"], "intValue")).toString() };
  }
  if (has(value, "doubleValue")) {
    const number = doubleOf(value["doubleValue"], "doubleValue");
    return { doubleValue: Number.isFinite(number) ? number : String(number) };
  }
  if (has(value, "boolValue")) {
    if (typeof value["boolValue"] !== "boolean")
      throw new MalformedError("boolValue must be a bool");
    return { boolValue: value["boolValue"] };
  }
  if (has(value, "arrayValue")) {
    const list = listOf(messageOf(value["arrayValue"], "arrayValue")["values"], "values");
    return { arrayValue: { values: list.map((item) => anyValue(item, depth + 1)) } };
  }
  if (has(value, "kvlistValue")) {
    const list = messageOf(value["kvlistValue"], "kvlistValue")["values"];
    return { kvlistValue: { values: attributesOf(list, depth + 1) } };
  }
  if (has(value, "bytesValue")) {
    const bytes = value["bytesValue"];
    if (bytes instanceof Uint8Array) return { bytesValue: bytes.toBase64() };
    return { bytesValue: textOf(bytes, "bytesValue") };
  }
  return {};
}

/** Reads a list of KeyValue. */
export function attributesOf(raw: unknown, depth = 0): JsonAttribute[] {
  return listOf(raw, "attributes").map((item) => ({
    key: textOf(item["key"], "key"),
    value: anyValue(item["value"], depth),
  }));
}

/** A value as text, like OpenTelemetry's `AsString`: strings unquoted, everything else as JSON. */
export function valueText(value: JsonValue): string {
  if ("stringValue" in value) return value.stringValue;
  if ("intValue" in value) return value.intValue;
  if ("boolValue" in value) return String(value.boolValue);
  if ("doubleValue" in value) return String(value.doubleValue);
  if ("bytesValue" in value) return value.bytesValue;
  if ("arrayValue" in value || "kvlistValue" in value) return JSON.stringify(plainValue(value));
  return "";
}

/** A value as plain JSON data; integers beyond 2^53 lose digits. */
export function plainValue(value: JsonValue): unknown {
  if ("stringValue" in value) return value.stringValue;
  if ("intValue" in value) return Number(value.intValue);
  if ("boolValue" in value) return value.boolValue;
  if ("doubleValue" in value) return value.doubleValue;
  if ("bytesValue" in value) return value.bytesValue;
  if ("arrayValue" in value) return value.arrayValue.values.map(plainValue);
  if ("kvlistValue" in value) {
    return Object.fromEntries(
      value.kvlistValue.values.map((one) => [one.key, plainValue(one.value)]),
    );
  }
  return null;
}
