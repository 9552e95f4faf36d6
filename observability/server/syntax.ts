/** Shared by the parsers of LogQL and TraceQL: parsing a query, and reading its nodes. */
import type { Parser, SyntaxNode } from "@lezer/common";
import { QueryError, unsupported } from "./query-error.ts";
import { compileRegex, RegexError, type Test } from "./regex.ts";

const MAX_QUERY_CHARS = 16_384;

/** A query language; its errors begin with `blame`. */
export interface Language {
  readonly name: string;
  readonly parser: Parser;
  readonly blame: string;
}

/** The text of a query, with methods that read its nodes. */
export class Source {
  readonly #language: Language;
  readonly #text: string;

  constructor(language: Language, text: string) {
    this.#language = language;
    this.#text = text;
  }

  /** The tree of the whole query; throws QueryError with the position of a syntax error. */
  tree(): SyntaxNode {
    const text = this.#text;
    if (text.length > MAX_QUERY_CHARS) {
      throw new QueryError(
        `a query must have at most ${MAX_QUERY_CHARS} characters, but has ${text.length}`,
      );
    }
    const top = this.#language.parser.parse(text).topNode;
    const error = firstError(top);
    if (error === undefined && text.trim() !== "") return top;
    const from = error?.from ?? 0;
    const near = text.slice(from, from + 20).trim();
    throw this.wrong(from, `unexpected ${near === "" ? "$end" : JSON.stringify(near)}`);
  }

  /** A syntax error at a position. */
  wrong(from: number, problem: string): QueryError {
    return this.invalid(`syntax error at line 1, col ${from + 1}: ${problem}`);
  }

  /** An error of the query as a whole. */
  invalid(problem: string): QueryError {
    return new QueryError(`${this.#language.blame}: ${problem}`);
  }

  /** A construct that this server does not support. */
  unsupported(construct: string): QueryError {
    return unsupported(this.#language.name, construct);
  }

  /** The text of a node. */
  text(node: SyntaxNode): string {
    return this.#text.slice(node.from, node.to);
  }

  /** The text between two positions. */
  between(from: number, to: number): string {
    return this.#text.slice(from, to);
  }

  /** The beginning of a node's text, to name it in an error. */
  head(node: SyntaxNode): string {
    const text = this.text(node);
    return /^\|?\s*\w+/.exec(text)?.[0] ?? text.slice(0, 20);
  }

  /** The first child of that name; throws a syntax error without one. */
  only(node: SyntaxNode, name: string): SyntaxNode {
    const child = node.getChild(name);
    if (child === null) throw this.wrong(node.from, `${name} expected`);
    return child;
  }

  /** All descendants of that name, in order, without those inside of a match. */
  all(node: SyntaxNode, name: string): SyntaxNode[] {
    return childrenOf(node).flatMap((child) =>
      child.name === name ? [child] : this.all(child, name),
    );
  }

  /** The value of a quoted string. */
  string(node: SyntaxNode): string {
    const value = unquote(this.text(node));
    if (value === undefined) throw this.wrong(node.from, "invalid char escape");
    return value;
  }

  /** Compiles a regular expression of the query. */
  regex(pattern: string, whole: boolean): Test {
    try {
      return compileRegex(pattern, whole);
    } catch (error) {
      if (error instanceof RegexError) throw this.invalid(error.message);
      throw error;
    }
  }
}

/** The children of `node`, in order. */
export function childrenOf(node: SyntaxNode): SyntaxNode[] {
  const children: SyntaxNode[] = [];
  for (let child = node.firstChild; child !== null; child = child.nextSibling) children.push(child);
  return children;
}

/** The first error node of the tree, if any. */
export function firstError(top: SyntaxNode): SyntaxNode | undefined {
  const pending = [top];
  for (;;) {
    const node = pending.pop();
    if (node === undefined) return undefined;
    if (node.type.isError) return node;
    pending.push(...childrenOf(node).toReversed());
  }
}

const UNITS_NS: Readonly<Record<string, number>> = {
  ns: 1,
  us: 1e3,
  µs: 1e3,
  ms: 1e6,
  s: 1e9,
  m: 60e9,
  h: 3600e9,
  d: 86_400e9,
  w: 604_800e9,
  y: 31_536_000e9,
};

/** 292 years, as in Go; a sum of some of them is clamped where it meets the store. */
const MAX_DURATION_NS = 2 ** 63;

/** A duration such as `1h30m` or `1.5s` in nanoseconds; undefined when the text is none. */
export function durationNs(text: string): number | undefined {
  if (!/^-?(\d+(\.\d+)?(ns|us|µs|ms|s|m|h|d|w|y))+$/.test(text)) return undefined;
  let total = 0;
  for (const [, amount, unit] of text.matchAll(/(\d+(?:\.\d+)?)(ns|us|µs|ms|s|m|h|d|w|y)/g)) {
    total += Number(amount) * (UNITS_NS[unit ?? ""] ?? 0);
  }
  if (total > MAX_DURATION_NS) return undefined;
  return text.startsWith("-") ? -total : total;
}

const BYTE_UNITS = ["b", "kb", "mb", "gb", "tb", "pb"];
const BINARY_UNITS = ["", "kib", "mib", "gib", "tib", "pib"];

/** Parses a size such as `5KB` or `1.5MiB` into bytes; undefined for other text. */
export function byteSize(text: string): number | undefined {
  const match = /^(\d+(?:\.\d+)?)\s*([a-zA-Z]*)$/.exec(text);
  if (match === null) return undefined;
  const unit = (match[2] ?? "").toLowerCase();
  if (unit === "") return Number(match[1]);
  const decimal = BYTE_UNITS.indexOf(unit.length === 1 && unit !== "b" ? `${unit}b` : unit);
  if (decimal >= 0) return Number(match[1]) * 1000 ** decimal;
  const binary = BINARY_UNITS.indexOf(unit);
  return binary > 0 ? Number(match[1]) * 1024 ** binary : undefined;
}

const ESCAPES: Readonly<Record<string, string>> = {
  n: "\n",
  t: "\t",
  r: "\r",
  a: "\x07",
  b: "\b",
  f: "\f",
  v: "\v",
  "\\": "\\",
  '"': '"',
  "'": "'",
};

/** The value of a quoted string in Go's syntax; undefined for an invalid escape. */
export function unquote(text: string): string | undefined {
  const inner = text.slice(1, -1);
  if (text.startsWith("`")) return inner;
  let valid = true;
  const value = inner.replaceAll(
    /\\(x[0-9a-fA-F]{2}|u[0-9a-fA-F]{4}|U[0-9a-fA-F]{8}|[0-7]{3}|[^])/g,
    (_, escape: string) => {
      const simple = ESCAPES[escape];
      if (simple !== undefined) return simple;
      if (/^[xuU]./.test(escape)) {
        const code = Number.parseInt(escape.slice(1), 16);
        if (code <= 0x10ffff) return String.fromCodePoint(code);
      }
      if (/^[0-7]{3}$/.test(escape)) return String.fromCodePoint(Number.parseInt(escape, 8));
      valid = false;
      return "";
    },
  );
  return valid ? value : undefined;
}

/** The precedence of operators, given by increasing precedence; the lowest is 1. */
export const precedenceOf = (levels: readonly (readonly string[])[]): ReadonlyMap<string, number> =>
  new Map(levels.flatMap((ops, index) => ops.map((op) => [op, index + 1] as const)));
