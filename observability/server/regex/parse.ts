/**
 * Regular expressions in RE2's syntax, as Loki, Prometheus and Tempo take them, into a tree.
 *
 * JavaScript's own engine backtracks: `(a+)+$` on a long line would stop the whole process. The syntax here is
 * that part of RE2's that a linear-time matcher can run; look-around and back references are errors, as in RE2.
 */

/** The expression breaks a rule of the syntax, or a limit. */
export class RegexError extends Error {}

/** Inclusive code point ranges, flat: [from, to, from, to, …], sorted and disjoint. */
export type Ranges = readonly number[];

export type Assertion = "text-start" | "text-end" | "line-start" | "line-end" | "word" | "not-word";

export type Node =
  | { readonly kind: "empty" }
  | { readonly kind: "set"; readonly ranges: Ranges }
  | { readonly kind: "assert"; readonly assertion: Assertion }
  | { readonly kind: "sequence"; readonly nodes: readonly Node[] }
  | { readonly kind: "choice"; readonly nodes: readonly Node[] }
  | { readonly kind: "repeat"; readonly node: Node; readonly min: number; readonly max: number };

export const MAX_CODE_POINT = 0x10ffff;
const MAX_PATTERN_CHARS = 8192;
/** RE2's own limit. */
const MAX_REPEAT = 1000;
const MAX_DEPTH = 200;

const DIGIT = [48, 57];
const WORD = [48, 57, 65, 90, 95, 95, 97, 122];
const SPACE = [9, 10, 12, 13, 32, 32];
const POSIX: Readonly<Record<string, Ranges>> = {
  alnum: [48, 57, 65, 90, 97, 122],
  alpha: [65, 90, 97, 122],
  ascii: [0, 127],
  blank: [9, 9, 32, 32],
  cntrl: [0, 31, 127, 127],
  digit: DIGIT,
  graph: [33, 126],
  lower: [97, 122],
  print: [32, 126],
  punct: [33, 47, 58, 64, 91, 96, 123, 126],
  space: [9, 13, 32, 32],
  upper: [65, 90],
  word: WORD,
  xdigit: [48, 57, 65, 70, 97, 102],
};
const ESCAPES: Readonly<Record<string, number>> = { n: 10, t: 9, r: 13, f: 12, v: 11, a: 7 };

interface Flags {
  readonly ignoreCase: boolean;
  readonly multiLine: boolean;
  readonly dotAll: boolean;
}

/** Parses `pattern`; throws RegexError. */
export function parseRegex(pattern: string): Node {
  if (pattern.length > MAX_PATTERN_CHARS) {
    throw new RegexError(
      `a regular expression must have at most ${MAX_PATTERN_CHARS} characters, but has ${pattern.length}`,
    );
  }
  return new Parser(pattern).parse();
}

class Parser {
  readonly #text: string;
  #at = 0;
  #depth = 0;
  #flags: Flags = { ignoreCase: false, multiLine: false, dotAll: false };

  constructor(text: string) {
    this.#text = text;
  }

  parse(): Node {
    const node = this.#choice();
    if (this.#at < this.#text.length) this.#fail("unexpected )");
    return node;
  }

  #fail(what: string): never {
    throw new RegexError(`error parsing regexp: ${what}: \`${this.#text.slice(0, 200)}\``);
  }

  #choice(): Node {
    this.#depth += 1;
    if (this.#depth > MAX_DEPTH) this.#fail("expression nests too deeply");
    const nodes = [this.#sequence()];
    while (this.#take("|")) nodes.push(this.#sequence());
    this.#depth -= 1;
    return nodes.length === 1 ? (nodes[0] ?? { kind: "empty" }) : { kind: "choice", nodes };
  }

  #sequence(): Node {
    const nodes: Node[] = [];
    while (this.#at < this.#text.length && !"|)".includes(this.#text[this.#at] ?? "")) {
      nodes.push(this.#repeated());
    }
    return { kind: "sequence", nodes };
  }

  #repeated(): Node {
    let node = this.#atom();
    let repeats = 0;
    for (;;) {
      const bounds = this.#bounds();
      if (bounds === undefined) return node;
      repeats += 1;
      if (repeats > 1) this.#fail("invalid nested repetition operator");
      this.#take("?");
      node = { kind: "repeat", node, ...bounds };
    }
  }

  #bounds(): { min: number; max: number } | undefined {
    if (this.#take("*")) return { min: 0, max: Infinity };
    if (this.#take("+")) return { min: 1, max: Infinity };
    if (this.#take("?")) return { min: 0, max: 1 };
    const counted = /^\{(\d+)(,(\d*))?\}/.exec(this.#text.slice(this.#at, this.#at + 24));
    if (counted === null) return undefined;
    this.#at += counted[0].length;
    const min = Number(counted[1]);
    const upper = counted[3] === undefined || counted[3] === "" ? Infinity : Number(counted[3]);
    const max = counted[2] === undefined ? min : upper;
    if (min > MAX_REPEAT || (max !== Infinity && max > MAX_REPEAT) || max < min) {
      this.#fail("invalid repeat count");
    }
    return { min, max };
  }

  #atom(): Node {
    const point = this.#next();
    const char = String.fromCodePoint(point);
    switch (char) {
      case "(":
        return this.#group();
      case "[":
        return { kind: "set", ranges: this.#class() };
      case ".":
        return { kind: "set", ranges: this.#flags.dotAll ? [0, MAX_CODE_POINT] : negate([10, 10]) };
      case "^":
        return { kind: "assert", assertion: this.#flags.multiLine ? "line-start" : "text-start" };
      case "$":
        return { kind: "assert", assertion: this.#flags.multiLine ? "line-end" : "text-end" };
      case "*":
      case "+":
      case "?":
        return this.#fail("missing argument to repetition operator");
      case "\\":
        return this.#escape();
      default:
        return { kind: "set", ranges: this.#fold([point, point]) };
    }
  }

  #group(): Node {
    const outer = this.#flags;
    if (this.#take("?")) {
      const head = /^(?:P?<([A-Za-z_]\w*)>|([ims-]*)(:|\)))/.exec(this.#text.slice(this.#at));
      if (head === null) this.#fail("invalid or unsupported Perl syntax");
      this.#at += head[0].length;
      if (head[2] !== undefined) this.#flags = this.#withFlags(head[2]);
      // `(?i)` sets flags for the rest of the group that it stands in.
      if (head[3] === ")") return { kind: "empty" };
    }
    const node = this.#choice();
    if (!this.#take(")")) this.#fail("missing closing )");
    this.#flags = outer;
    return node;
  }

  #withFlags(text: string): Flags {
    const flags = { ...this.#flags };
    let value = true;
    for (const letter of text) {
      if (letter === "-") value = false;
      else if (letter === "i") flags.ignoreCase = value;
      else if (letter === "m") flags.multiLine = value;
      else flags.dotAll = value;
    }
    return flags;
  }

  #escape(): Node {
    if (this.#at >= this.#text.length) this.#fail("trailing backslash at end of expression");
    if (this.#take("b")) return { kind: "assert", assertion: "word" };
    if (this.#take("B")) return { kind: "assert", assertion: "not-word" };
    if (this.#take("A")) return { kind: "assert", assertion: "text-start" };
    if (this.#take("z")) return { kind: "assert", assertion: "text-end" };
    if (this.#take("Q")) return this.#quoted();
    return { kind: "set", ranges: this.#escapedSet() };
  }

  #quoted(): Node {
    const end = this.#text.indexOf("\\E", this.#at);
    const text = this.#text.slice(this.#at, end < 0 ? undefined : end);
    this.#at = end < 0 ? this.#text.length : end + 2;
    const nodes = Array.from(text, (char): Node => {
      const point = char.codePointAt(0) ?? 0;
      return { kind: "set", ranges: this.#fold([point, point]) };
    });
    return { kind: "sequence", nodes };
  }

  /** After the backslash: a class such as \d, or one character. */
  #escapedSet(): Ranges {
    const point = this.#next();
    const char = String.fromCodePoint(point);
    const known = { d: DIGIT, w: WORD, s: SPACE }[char.toLowerCase()];
    if (known !== undefined) return char === char.toLowerCase() ? known : negate(known);
    const code = ESCAPES[char];
    if (code !== undefined) return [code, code];
    if (char === "x") {
      const hex = /^(?:\{([0-9a-fA-F]{1,6})\}|([0-9a-fA-F]{2}))/.exec(this.#text.slice(this.#at));
      if (hex === null) this.#fail("invalid escape sequence");
      this.#at += hex[0].length;
      const value = Number.parseInt(hex[1] ?? hex[2] ?? "", 16);
      if (value > MAX_CODE_POINT) this.#fail("invalid escape sequence");
      return this.#fold([value, value]);
    }
    if (/[A-Za-z0-9]/.test(char)) this.#fail(`invalid or unsupported escape sequence \\${char}`);
    return [point, point];
  }

  #class(): Ranges {
    const negated = this.#take("^");
    const ranges: number[] = [];
    let first = true;
    while (first || this.#text[this.#at] !== "]") {
      if (this.#at >= this.#text.length) this.#fail("missing closing ]");
      first = false;
      const posix = /^\[:(\^?)([a-z]+):\]/.exec(this.#text.slice(this.#at, this.#at + 16));
      if (posix !== null) {
        const named = POSIX[posix[2] ?? ""];
        if (named === undefined) this.#fail("invalid character class range");
        this.#at += posix[0].length;
        ranges.push(...(posix[1] === "^" ? negate(named) : named));
        continue;
      }
      const low = this.#classItem();
      if (
        low.length !== 2 ||
        low[0] !== low[1] ||
        !/^-[^\]]/u.test(this.#text.slice(this.#at, this.#at + 3))
      ) {
        ranges.push(...low);
        continue;
      }
      this.#at += 1;
      const high = this.#classItem();
      if (high.length !== 2 || (high[0] ?? 0) < (low[0] ?? 0))
        this.#fail("invalid character class range");
      ranges.push(low[0] ?? 0, high[1] ?? 0);
    }
    this.#at += 1;
    const set = this.#fold(normalize(ranges));
    return negated ? negate(set) : set;
  }

  #classItem(): Ranges {
    const point = this.#next();
    return point === 92 ? this.#escapedSet() : [point, point];
  }

  /** With (?i), adds the other case of every letter. */
  #fold(ranges: Ranges): Ranges {
    if (!this.#flags.ignoreCase) return ranges;
    const folded = [...ranges];
    for (let index = 0; index < ranges.length; index += 2) {
      const from = ranges[index] ?? 0;
      const to = Math.min(ranges[index + 1] ?? 0, from + 1024);
      for (let point = from; point <= to; point += 1) {
        const char = String.fromCodePoint(point);
        for (const other of [char.toLowerCase(), char.toUpperCase()]) {
          const code = other.codePointAt(0) ?? point;
          if (code !== point && String.fromCodePoint(code) === other) folded.push(code, code);
        }
      }
    }
    return normalize(folded);
  }

  #take(char: string): boolean {
    if (this.#text[this.#at] !== char) return false;
    this.#at += 1;
    return true;
  }

  #next(): number {
    const point = this.#text.codePointAt(this.#at) ?? this.#fail("unexpected end of expression");
    this.#at += point > 0xffff ? 2 : 1;
    return point;
  }
}

/** Sorts ranges and joins those that touch. */
export function normalize(ranges: Ranges): Ranges {
  const pairs: [number, number][] = [];
  for (let index = 0; index < ranges.length; index += 2) {
    pairs.push([ranges[index] ?? 0, ranges[index + 1] ?? 0]);
  }
  pairs.sort((a, b) => a[0] - b[0]);
  const joined: number[] = [];
  for (const [from, to] of pairs) {
    const last = joined.at(-1);
    if (last !== undefined && from <= last + 1) joined[joined.length - 1] = Math.max(last, to);
    else joined.push(from, to);
  }
  return joined;
}

/** All code points that are in none of the ranges. */
export function negate(ranges: Ranges): Ranges {
  const sorted = normalize(ranges);
  const out: number[] = [];
  let from = 0;
  for (let index = 0; index < sorted.length; index += 2) {
    const start = sorted[index] ?? 0;
    if (start > from) out.push(from, start - 1);
    from = (sorted[index + 1] ?? 0) + 1;
  }
  if (from <= MAX_CODE_POINT) out.push(from, MAX_CODE_POINT);
  return out;
}
