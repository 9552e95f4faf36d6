/**
 * The condition inside `{ … }`.
 *
 * In the grammar's tree, `!` and `-` apply to everything on their right, and there is no
 * precedence. So the tree is converted into a flat list of operands and operators, which is grouped
 * here as in Tempo.
 */
import type { SyntaxNode } from "@lezer/common";
import { QueryError } from "../query-error.ts";
import type { Test } from "../regex.ts";
import { childrenOf, precedenceOf, type Source } from "../syntax.ts";
import type { CompareOp, Expression, Operand } from "./ast.ts";

type Item =
  | { readonly kind: "operand"; readonly node: SyntaxNode }
  | { readonly kind: "group"; readonly node: SyntaxNode }
  | { readonly kind: "unary" | "binary"; readonly op: string };

const PRECEDENCE = precedenceOf([["||"], ["&&"], ["=", "!=", ">", ">=", "<", "<=", "=~", "!~"]]);
const MAX_DEPTH = 100;

type Part = { readonly expression: Expression } | { readonly operand: Operand };

type ReadLeaf = (node: SyntaxNode) => Operand;

/** Reads a FieldExpression as a condition; `leaf` reads its operands. */
export function readCondition(source: Source, leaf: ReadLeaf, node: SyntaxNode): Expression {
  return asCondition(source, new Climber(source, leaf, node, 0).part());
}

function asCondition(source: Source, part: Part): Expression {
  if ("expression" in part) return part.expression;
  const { operand } = part;
  if (operand.kind !== "value") return { kind: "truth", field: operand };
  if (operand.value.kind === "boolean") return { kind: "constant", value: operand.value.value };
  throw source.unsupported(`a bare value of type ${operand.value.kind}`);
}

class Climber {
  readonly #source: Source;
  readonly #leaf: ReadLeaf;
  readonly #items: Item[] = [];
  readonly #depth: number;
  #at = 0;

  constructor(source: Source, leaf: ReadLeaf, node: SyntaxNode, depth: number) {
    if (depth > MAX_DEPTH) throw new QueryError(`a query must nest at most ${MAX_DEPTH} deep`);
    this.#source = source;
    this.#leaf = leaf;
    this.#depth = depth;
    this.#flatten(node);
  }

  #flatten(node: SyntaxNode): void {
    const [first, operator, second] = childrenOf(node);
    if (first === undefined) throw this.#source.unsupported(this.#source.text(node));
    const lead = this.#source.between(node.from, first.from).trim();
    if (first.name !== "FieldExpression") {
      this.#items.push({ kind: "operand", node });
    } else if (lead.startsWith("(")) {
      this.#items.push({ kind: "group", node: first });
    } else if (operator !== undefined && second !== undefined) {
      this.#flatten(first);
      this.#items.push({ kind: "binary", op: this.#source.text(operator) });
      this.#flatten(second);
    } else {
      if (lead !== "") this.#items.push({ kind: "unary", op: lead });
      this.#flatten(first);
    }
  }

  /** Parses the whole list. */
  part(): Part {
    const part = this.#climb(0);
    if (this.#at < this.#items.length) throw this.#source.invalid("syntax error");
    return part;
  }

  #climb(min: number): Part {
    let left = this.#primary();
    for (;;) {
      const item = this.#items[this.#at];
      if (item?.kind !== "binary") return left;
      const precedence = PRECEDENCE.get(item.op);
      if (precedence === undefined) throw this.#source.unsupported(`operator ${item.op}`);
      if (precedence < min) return left;
      this.#at += 1;
      left = { expression: combine(this.#source, item.op, left, this.#climb(precedence + 1)) };
    }
  }

  #primary(): Part {
    const item = this.#items[this.#at];
    this.#at += 1;
    if (item?.kind === "unary") return this.#unary(item.op);
    if (item?.kind === "operand") return { operand: this.#leaf(item.node) };
    if (item?.kind === "group")
      return new Climber(this.#source, this.#leaf, item.node, this.#depth + 1).part();
    throw this.#source.invalid("syntax error");
  }

  #unary(op: string): Part {
    const inner = this.#primary();
    if (op === "!") return { expression: { kind: "not", inner: asCondition(this.#source, inner) } };
    const value =
      "operand" in inner && inner.operand.kind === "value" ? inner.operand.value : undefined;
    if (op !== "-" || (value?.kind !== "number" && value?.kind !== "duration")) {
      throw this.#source.unsupported(`operator ${op} before this operand`);
    }
    return { operand: { kind: "value", value: { kind: value.kind, value: -value.value } } };
  }
}

function combine(source: Source, op: string, left: Part, right: Part): Expression {
  if (op === "&&" || op === "||") {
    const kind = op === "&&" ? "and" : "or";
    return { kind, left: asCondition(source, left), right: asCondition(source, right) };
  }
  if (!("operand" in left) || !("operand" in right)) {
    throw source.unsupported(`operator ${op} between conditions`);
  }
  const isRegex = op === "=~" || op === "!~";
  return {
    kind: "compare",
    left: left.operand,
    op: op as CompareOp,
    right: right.operand,
    ...(isRegex ? { test: regexOf(source, right.operand) } : {}),
  };
}

function regexOf(source: Source, operand: Operand): Test {
  if (operand.kind !== "value" || operand.value.kind !== "string") {
    throw source.invalid("a regular expression must be a string");
  }
  return source.regex(operand.value.value, true);
}
