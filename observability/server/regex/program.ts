/** From a tree to the instructions of an automaton, and the classes of characters that it tells apart. */
import { type Assertion, type Node, type Ranges, RegexError } from "./parse.ts";

export type Instruction =
  | { readonly op: "set"; readonly ranges: Ranges; next: number }
  | { readonly op: "assert"; readonly assertion: Assertion; next: number }
  | { readonly op: "split"; next: number; other: number }
  | { readonly op: "match" };

/** Counted repetition multiplies; a program this long would make every character slow. */
const MAX_INSTRUCTIONS = 5000;

/** Compiles `node`; execution starts at the returned `start`. Throws RegexError when it grows too large. */
export function compile(node: Node): { code: readonly Instruction[]; start: number } {
  const code: Instruction[] = [{ op: "match" }];
  const emit = (instruction: Instruction): number => {
    if (code.length >= MAX_INSTRUCTIONS) {
      throw new RegexError(
        `a regular expression must compile to at most ${MAX_INSTRUCTIONS} steps`,
      );
    }
    code.push(instruction);
    return code.length - 1;
  };
  /** Compiles backwards: returns where to enter so that execution goes on at `next`. */
  const build = (part: Node, next: number): number => {
    switch (part.kind) {
      case "empty":
        return next;
      case "set":
        return emit({ op: "set", ranges: part.ranges, next });
      case "assert":
        return emit({ op: "assert", assertion: part.assertion, next });
      case "sequence":
        return part.nodes.reduceRight((after, one) => build(one, after), next);
      case "choice":
        return part.nodes
          .map((one) => build(one, next))
          .reduceRight((other, first) => emit({ op: "split", next: first, other }));
      case "repeat":
        return repeat(part.node, part.min, part.max, next);
    }
  };
  const repeat = (part: Node, min: number, max: number, next: number): number => {
    let after = next;
    if (max === Infinity) {
      const loop: Instruction = { op: "split", next, other: next };
      after = emit(loop);
      loop.next = build(part, after);
    } else {
      for (let count = min; count < max; count += 1) {
        after = emit({ op: "split", next: build(part, after), other: next });
      }
    }
    for (let count = 0; count < min; count += 1) after = build(part, after);
    return after;
  };
  return { start: build(node, 0), code };
}

/** A partition of all code points: no instruction tells two members of one class apart. */
export class CharacterClasses {
  /** First code point of each class piece, ascending. */
  readonly #starts: readonly number[];
  readonly #ascii = new Uint16Array(128);

  constructor(code: readonly Instruction[]) {
    // Newlines and word characters are told apart by assertions.
    const cuts = new Set([0, 10, 11, 48, 58, 65, 91, 95, 96, 97, 123]);
    for (const instruction of code) {
      if (instruction.op !== "set") continue;
      for (let index = 0; index < instruction.ranges.length; index += 2) {
        cuts.add(instruction.ranges[index] ?? 0);
        cuts.add((instruction.ranges[index + 1] ?? 0) + 1);
      }
    }
    this.#starts = [...cuts].toSorted((a, b) => a - b);
    for (let point = 0; point < 128; point += 1) this.#ascii[point] = this.#search(point);
  }

  get size(): number {
    return this.#starts.length;
  }

  /** The class of a code point. */
  of(point: number): number {
    return point < 128 ? (this.#ascii[point] ?? 0) : this.#search(point);
  }

  /** A member of the class. */
  example(index: number): number {
    return this.#starts[index] ?? 0;
  }

  #search(point: number): number {
    let low = 0;
    let high = this.#starts.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if ((this.#starts[middle] ?? 0) <= point) low = middle;
      else high = middle - 1;
    }
    return low;
  }
}
