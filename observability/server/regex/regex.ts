/**
 * A matcher in linear time: a deterministic automaton that is built while it runs, and forgotten when it
 * grows too big. Answers only whether a text matches, which is all that queries need.
 */
import { type Assertion, parseRegex } from "./parse.ts";
import { CharacterClasses, compile, type Instruction } from "./program.ts";

export { RegexError } from "./parse.ts";

/** Tells whether a text matches. */
export type Test = (text: string) => boolean;

const MAX_STATES = 1000;
/** What stood before the current position. */
const AT_START = 0;
const AFTER_NEWLINE = 1;
const AFTER_WORD = 2;
const AFTER_OTHER = 3;
const END = -1;

const isWord = (point: number): boolean =>
  (point >= 48 && point <= 57) ||
  (point >= 65 && point <= 90) ||
  point === 95 ||
  (point >= 97 && point <= 122);

interface State {
  readonly threads: readonly number[];
  readonly before: number;
  /** By class of the next character, and last for the end of the text. */
  readonly next: (State | "match" | undefined)[];
}

/**
 * Compiles `pattern` in RE2's syntax. With `whole`, the text must match from end to end, as label matchers
 * demand; without, anywhere. Throws RegexError.
 */
export function compileRegex(pattern: string, whole: boolean): Test {
  const literal = /^[\w \-/:="',@#%&<>~!;]*$/.test(pattern);
  if (literal) return whole ? (text) => text === pattern : (text) => text.includes(pattern);
  const inner = parseRegex(pattern);
  const node = whole
    ? {
        kind: "sequence" as const,
        nodes: [
          { kind: "assert" as const, assertion: "text-start" as const },
          inner,
          { kind: "assert" as const, assertion: "text-end" as const },
        ],
      }
    : inner;
  const { code, start } = compile(node);
  const automaton = new Automaton(code, start, whole);
  return (text) => automaton.test(text);
}

class Automaton {
  readonly #code: readonly Instruction[];
  readonly #start: number;
  readonly #anchored: boolean;
  readonly #classes: CharacterClasses;
  readonly #marks: Uint32Array;
  #mark = 0;
  #states = new Map<string, State>();

  constructor(code: readonly Instruction[], start: number, anchored: boolean) {
    this.#code = code;
    this.#start = start;
    this.#anchored = anchored;
    this.#classes = new CharacterClasses(code);
    this.#marks = new Uint32Array(code.length);
  }

  test(text: string): boolean {
    let state = this.#state([this.#start], AT_START);
    const { length } = text;
    for (let at = 0; at < length; at += 1) {
      let point = text.charCodeAt(at);
      if (point >= 0xd800 && point < 0xdc00) {
        point = text.codePointAt(at) ?? point;
        if (point > 0xffff) at += 1;
      }
      const index = this.#classes.of(point);
      const next = state.next[index] ?? this.#step(state, index);
      if (next === "match") return true;
      if (next.threads.length === 0) return false;
      state = next;
    }
    const last = this.#classes.size;
    return (state.next[last] ?? this.#step(state, last)) === "match";
  }

  #state(threads: readonly number[], before: number): State {
    const key = `${before}:${threads.join(",")}`;
    const known = this.#states.get(key);
    if (known !== undefined) return known;
    if (this.#states.size >= MAX_STATES) this.#states = new Map();
    const state: State = { threads, before, next: [] };
    this.#states.set(key, state);
    return state;
  }

  /** Follows the character class `index`; the class after the last one is the end of the text. */
  #step(state: State, index: number): State | "match" {
    const point = index === this.#classes.size ? END : this.#classes.example(index);
    const next = this.#successor(state, point);
    state.next[index] = next;
    return next;
  }

  #successor(state: State, point: number): State | "match" {
    this.#mark += 1;
    const threads: number[] = [];
    const pending = state.threads.toReversed();
    while (pending.length > 0) {
      const at = pending.pop() ?? 0;
      if (this.#marks[at] === this.#mark) continue;
      this.#marks[at] = this.#mark;
      const instruction = this.#code[at];
      if (instruction === undefined) continue;
      if (instruction.op === "match") return "match";
      if (instruction.op === "split") pending.push(instruction.other, instruction.next);
      else if (instruction.op === "assert") {
        if (holds(instruction.assertion, state.before, point)) pending.push(instruction.next);
      } else if (point !== END && contains(instruction.ranges, point))
        threads.push(instruction.next);
    }
    if (!this.#anchored) threads.push(this.#start);
    return this.#state(
      [...new Set(threads)].toSorted((a, b) => a - b),
      contextOf(point),
    );
  }
}

function contextOf(point: number): number {
  if (point === 10) return AFTER_NEWLINE;
  return isWord(point) ? AFTER_WORD : AFTER_OTHER;
}

function holds(assertion: Assertion, before: number, point: number): boolean {
  switch (assertion) {
    case "text-start":
      return before === AT_START;
    case "text-end":
      return point === END;
    case "line-start":
      return before === AT_START || before === AFTER_NEWLINE;
    case "line-end":
      return point === END || point === 10;
    case "word":
      return (before === AFTER_WORD) !== isWord(point);
    case "not-word":
      return (before === AFTER_WORD) === isWord(point);
  }
}

function contains(ranges: readonly number[], point: number): boolean {
  for (let index = 0; index < ranges.length; index += 2) {
    if (point < (ranges[index] ?? 0)) return false;
    if (point <= (ranges[index + 1] ?? 0)) return true;
  }
  return false;
}
