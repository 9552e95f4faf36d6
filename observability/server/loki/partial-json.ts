/**
 * Reads the valid beginning of a line that is not valid JSON, with the errors of Loki's parser: the
 * fields before the damage become labels, and the error says what the parser expected.
 */

export type JsonFields = Map<string, unknown>;

/** A number or literal with its original text. */
export class RawToken {
  readonly source: string;

  constructor(source: string) {
    this.source = source;
  }
}

const NO_OBJECT = "Value looks like object, but can't find closing '}' symbol";
const NO_ARRAY = "Value is array, but can't find closing ']' symbol";
const NO_JSON = "Malformed JSON error";
const MAX_DEPTH = 64;

class Broken extends Error {}

/** Reads an object; `error` is undefined when the line is complete. */
export function readPartialObject(line: string): { fields: JsonFields; error: string | undefined } {
  const fields: JsonFields = new Map();
  try {
    readObject(line, 0, fields, 0);
    return { fields, error: undefined };
  } catch (error) {
    if (!(error instanceof Broken)) throw error;
    return { fields, error: error.message };
  }
}

function skipSpace(text: string, from: number): number {
  let at = from;
  while (at < text.length && " \t\r\n".includes(text[at] ?? "")) at += 1;
  return at;
}

/** Reads the object at `from` into `fields`; throws Broken. */
function readObject(text: string, from: number, fields: JsonFields, depth: number): void {
  if (depth > MAX_DEPTH) throw new Broken(NO_OBJECT);
  let at = skipSpace(text, from);
  if (text[at] !== "{") throw new Broken(NO_OBJECT);
  at = skipSpace(text, at + 1);
  if (at >= text.length) throw new Broken(NO_JSON);
  while (at < text.length) {
    if (text[at] === "}") return;
    if (text[at] !== '"') throw new Broken(NO_OBJECT);
    const keyEnd = stringEnd(text, at, NO_JSON);
    const key = unescape(text.slice(at, keyEnd));
    at = skipSpace(text, keyEnd);
    if (text[at] !== ":") throw new Broken(NO_JSON);
    at = readValue(text, skipSpace(text, at + 1), key, fields, depth);
    at = skipSpace(text, at);
    if (at >= text.length) throw new Broken(NO_ARRAY);
    if (text[at] === "}") return;
    if (text[at] !== ",") throw new Broken(NO_OBJECT);
    at = skipSpace(text, at + 1);
    if (at >= text.length) throw new Broken(NO_ARRAY);
  }
}

/** Reads the value at `at` into `fields` under `key`; returns its end. */
function readValue(
  text: string,
  at: number,
  key: string,
  fields: JsonFields,
  depth: number,
): number {
  const first = text[at];
  if (first === undefined) throw new Broken(NO_JSON);
  if (first === '"') {
    const end = stringEnd(text, at, "Value is string, but can't find closing '\"' symbol");
    fields.set(key, unescape(text.slice(at, end)));
    return end;
  }
  if (first === "[") return blockEnd(text, at, "[", "]", NO_ARRAY);
  if (first === "{") {
    const end = blockEnd(text, at, "{", "}", NO_OBJECT);
    const inner: JsonFields = new Map();
    fields.set(key, inner);
    readObject(text.slice(0, end), at, inner, depth + 1);
    return end;
  }
  const token = /^[^\s,\]}]*/.exec(text.slice(at))?.[0] ?? "";
  if (!/^(true|false|null|[-\d].*)$/.test(token)) throw new Broken("Unknown value type");
  if (token !== "null") fields.set(key, new RawToken(token));
  return at + token.length;
}

/** The position behind the closing quote of the string that begins at `from`. */
function stringEnd(text: string, from: number, problem: string): number {
  for (let at = from + 1; at < text.length; at += 1) {
    if (text[at] === "\\") at += 1;
    else if (text[at] === '"') return at + 1;
  }
  throw new Broken(problem);
}

function blockEnd(
  text: string,
  from: number,
  open: string,
  close: string,
  problem: string,
): number {
  let level = 0;
  for (let at = from; at < text.length; at += 1) {
    const char = text[at];
    if (char === '"') at = stringEnd(text, at, problem) - 1;
    else if (char === open) level += 1;
    else if (char === close) {
      level -= 1;
      if (level === 0) return at + 1;
    }
  }
  throw new Broken(problem);
}

function unescape(quoted: string): string {
  try {
    return JSON.parse(quoted) as string;
  } catch {
    return "";
  }
}
