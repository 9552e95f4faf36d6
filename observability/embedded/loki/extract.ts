/** Labels out of a line: `| json`, `| json name="path"` and `| logfmt`, as Loki extracts them. */
import type { JsonField } from "./ast.ts";

type Setter = (name: string, value: string) => void;

const MAX_DEPTH = 64;
const MALFORMED = "Value looks like object, but can't find closing '}' symbol";

/** A number as it stands in the line: `1.0` stays `1.0`, and long integers keep their digits. */
class RawNumber {
  readonly source: string;

  constructor(source: string) {
    this.source = source;
  }
}

function parse(line: string): unknown {
  try {
    return JSON.parse(line, function revive(_key, value: unknown, context?: { source?: string }) {
      return typeof value === "number" ? new RawNumber(context?.source ?? String(value)) : value;
    } as (this: unknown, key: string, value: unknown) => unknown);
  } catch {
    return undefined;
  }
}

function leafText(value: unknown): string | undefined {
  if (typeof value === "string") return value;
  if (value instanceof RawNumber) return value.source;
  return typeof value === "boolean" ? String(value) : undefined;
}

/** A key as a label's name; characters that a label may not have become underscores. */
function sanitize(key: string, isFirst: boolean): string {
  const name = key.trim().replaceAll(/[^a-zA-Z0-9_]/g, "_");
  return isFirst && /^\d/.test(name) ? `_${name}` : name;
}

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" &&
  value !== null &&
  !Array.isArray(value) &&
  !(value instanceof RawNumber);

/** All fields, nested ones joined by underscores; lists are left out. Returns why it failed, if it did. */
export function extractJson(line: string, set: Setter): string | undefined {
  const root = parse(line);
  if (!isObject(root)) return MALFORMED;
  const seen = new Set<string>();
  walk(root, "", 0, (name, value) => {
    // The first of two fields that come out with one name wins.
    if (seen.has(name)) return;
    seen.add(name);
    set(name, value);
  });
  return undefined;
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

/** The named fields; one that is absent becomes an empty label, an object or list its JSON text. */
export function extractJsonFields(
  line: string,
  fields: readonly JsonField[],
  set: Setter,
): string | undefined {
  const root = parse(line);
  if (!isObject(root)) return MALFORMED;
  for (const { name, path } of fields) {
    const value = path.reduce<unknown>((at, step) => {
      if (typeof step === "number") return Array.isArray(at) ? at[step] : undefined;
      return isObject(at) && Object.hasOwn(at, step) ? at[step] : undefined;
    }, root);
    const text = leafText(value) ?? (value === undefined || value === null ? "" : jsonText(value));
    set(name, text);
  }
  return undefined;
}

function jsonText(value: unknown): string {
  if (value instanceof RawNumber) return value.source;
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
