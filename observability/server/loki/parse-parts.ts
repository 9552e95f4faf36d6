/** The leaves of LogQL: strings, matchers, and reading nodes of the tree by name. */
import type { SyntaxNode } from "@lezer/common";
import { QueryError } from "../query-error.ts";
import { compileRegex, RegexError, type Test } from "../regex.ts";
import { childrenOf, unquote } from "../syntax.ts";
import type { Matcher, MatchOp } from "./ast.ts";

/** The text of a query, read through the nodes of its tree. */
export class Source {
  readonly #text: string;

  constructor(text: string) {
    this.#text = text;
  }

  /** The text of a node. */
  text(node: SyntaxNode): string {
    return this.#text.slice(node.from, node.to);
  }

  /** The beginning of a node's text, to name it in an error. */
  head(node: SyntaxNode): string {
    const text = this.text(node);
    return /^\|?\s*\w+/.exec(text)?.[0] ?? text.slice(0, 20);
  }

  /** The only child of that name; its absence is a syntax error. */
  only(node: SyntaxNode, name: string): SyntaxNode {
    const child = node.getChild(name);
    if (child === null) {
      throw new QueryError(`parse error at col ${node.from + 1}: syntax error: ${name} expected`);
    }
    return child;
  }

  /** All descendants of that name, in order; does not look inside a match. */
  all(node: SyntaxNode, name: string): SyntaxNode[] {
    return childrenOf(node).flatMap((child) =>
      child.name === name ? [child] : this.all(child, name),
    );
  }

  /** The value of a quoted string. */
  string(node: SyntaxNode): string {
    const value = unquote(this.text(node));
    if (value === undefined) {
      throw new QueryError(`parse error at line 1, col ${node.from + 1}: invalid char escape`);
    }
    return value;
  }
}

/** Compiles a regular expression of a query; throws QueryError. */
export function regexFrom(pattern: string, whole: boolean): Test {
  try {
    return compileRegex(pattern, whole);
  } catch (error) {
    if (error instanceof RegexError) throw new QueryError(`parse error : ${error.message}`);
    throw error;
  }
}

const OPS: Readonly<Record<string, MatchOp>> = { Eq: "=", Neq: "!=", Re: "=~", Nre: "!~" };

/** Reads `name op "value"`. */
export function matcherFrom(source: Source, node: SyntaxNode): Matcher {
  const [name, operator, text] = childrenOf(node);
  const op = OPS[operator?.name ?? ""];
  if (name === undefined || op === undefined || text === undefined) {
    throw new QueryError(`parse error at line 1, col ${node.from + 1}: syntax error in a matcher`);
  }
  const value = source.string(text);
  const isRegex = op === "=~" || op === "!~";
  return {
    name: source.text(name),
    op,
    value,
    ...(isRegex ? { test: regexFrom(value, true) } : {}),
  };
}

/** Whether a label's value satisfies the matcher; an absent label is the empty string. */
export function satisfies({ op, value, test }: Matcher, actual: string): boolean {
  switch (op) {
    case "=":
      return actual === value;
    case "!=":
      return actual !== value;
    case "=~":
      return test?.(actual) ?? false;
    case "!~":
      return !(test?.(actual) ?? false);
  }
}
