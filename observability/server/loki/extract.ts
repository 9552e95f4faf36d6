/** Extracts labels from a line as Loki does: `| json`, `| json name="path"` and `| logfmt`. */
import type { JsonField } from "./ast.ts";
import { type JsonFields, RawToken, readPartialObject } from "./partial-json.ts";

/** First characters of JSON lines. */
const JSON_START = /^["{[]/;

type Setter = (name: string, value: string) => void;

const MAX_DEPTH = 64;
function parse(line: string): unknown {
  try {
    return JSON.parse(line, function revive(_key, value: unknown, context?: { source?: string }) {
      return typeof value === "number" ? new RawToken(context?.source ?? String(value)) : value;
    } as (this: unknown, key: string, value: unknown) => unknown);
  } catch {
    return undefined;
  }
}

function leafText(value: unknown): string | undefined {
  if (typeof value === "string") return value;
  if (value instanceof RawToken) return value.source;
  return typeof value === "boolean" ? String(value) : undefined;
}

/** Converts a key into a label name; invalid characters become underscores. */
function sanitize(key: string, isFirst: boolean): string {
  const name = key.trim().replaceAll(/[^a-zA-Z0-9_]/g, "_");
  return isFirst && /^\d/.test(name) ? `_${name}` : name;
}

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" &&
  value !== null &&
  !Array.isArray(value) &&
  !(value instanceof RawToken);

/** The object in a line, or the readable part of it and the parser's error. */
function objectOf(line: string): { root: Record<string, unknown>; error: string | undefined } {
  const root = parse(line);
  if (isObject(root)) return { root, error: undefined };
  const { fields, error } = readPartialObject(line);
  return { root: plainObject(fields), error };
}

function plainObject(fields: JsonFields): Record<string, unknown> {
  return Object.fromEntries(
    [...fields].map(([key, value]) => [
      key,
      value instanceof Map ? plainObject(value as JsonFields) : value,
    ]),
  );
}

/**
 * Extracts all fields, nested ones joined by underscores, without lists. Returns the error, if any.
 */
export function extractJson(line: string, set: Setter): string | undefined {
  const { root, error } = objectOf(line);
  const seen = new Set<string>();
  walk(root, "", 0, (name, value) => {
    // If two fields get the same label, the first one is kept.
    if (seen.has(name)) return;
    seen.add(name);
    set(name, value);
  });
  return error;
}

function walk(object: Record<string, unknown>, prefix: string, depth: number, set: Setter): void {
  if (depth > MAX_DEPTH) return;
  for (const [key, value] of Object.entries(object)) {
    const part = sanitize(key, prefix === "");
    if (part === "") continue;
    const name = prefix === "" ? part : `${prefix}_${part}`;
    if (isObject(value)) walk(value, name, depth + 1, set);
    else {
      const text = leafText(value);
      if (text !== undefined) set(name, text);
    }
  }
}

/**
 * Extracts the named fields; an absent one gives an empty label, an object or list its JSON text.
 */
export function extractJsonFields(
  line: string,
  fields: readonly JsonField[],
  set: Setter,
): string | undefined {
  // As in Loki, only the first character decides whether this is an error; unreadable fields are
  // empty.
  if (line === "") return undefined;
  const { root } = objectOf(line);
  for (const { name, path } of fields) {
    const value = path.reduce<unknown>((at, step) => {
      if (typeof step === "number") return Array.isArray(at) ? at[step] : undefined;
      return isObject(at) && Object.hasOwn(at, step) ? at[step] : undefined;
    }, root);
    const text = leafText(value) ?? (value === undefined || value === null ? "" : jsonText(value));
    if (JSON_START.test(line)) set(name, text);
  }
  return JSON_START.test(line) ? undefined : "";
}

function jsonText(value: unknown): string {
  if (value instanceof RawToken) return value.source;
  if (Array.isArray(value)) return `[${value.map(jsonText).join(",")}]`;
  if (isObject(value)) {
    const inner = Object.entries(value).map(
      ([key, one]) => `${JSON.stringify(key)}:${jsonText(one)}`,
    );
    return `{${inner.join(",")}}`;
  }
  return JSON.stringify(value);
}

/** `key=value key="quoted value"`. */
export function extractLogfmt(line: string, set: Setter): void {
  for (const match of line.matchAll(/([^\s="]+)=(?:"((?:[^"\\]|\\.)*)"|([^\s"]*))/g)) {
    const value = match[2] === undefined ? (match[3] ?? "") : match[2].replaceAll(/\\(.)/g, "$1");
    const name = sanitize(match[1] ?? "", true);
    if (name !== "" && value !== "") set(name, value);
  }
}
