/** Label matchers, in selectors and in label filters. */
import type { SyntaxNode } from "@lezer/common";
import { childrenOf, type Source } from "../syntax.ts";
import type { Matcher, MatchOp } from "./ast.ts";

const OPS: Readonly<Record<string, MatchOp>> = { Eq: "=", Neq: "!=", Re: "=~", Nre: "!~" };

/** Reads `name op "value"`. */
export function matcherFrom(source: Source, node: SyntaxNode): Matcher {
  const [name, operator, text] = childrenOf(node);
  const op = OPS[operator?.name ?? ""];
  if (name === undefined || op === undefined || text === undefined) {
    throw source.wrong(node.from, "a matcher expected");
  }
  const value = source.string(text);
  const isRegex = op === "=~" || op === "!~";
  return {
    name: source.text(name),
    op,
    value,
    ...(isRegex ? { test: source.regex(value, true) } : {}),
  };
}

/** Whether a label's value matches; an absent label is the empty string. */
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
