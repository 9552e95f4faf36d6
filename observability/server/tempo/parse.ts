/** Parses TraceQL with Grafana's own grammar; the error for an unsupported construct names it. */
import { parser } from "@grafana/lezer-traceql";
import type { SyntaxNode } from "@lezer/common";
import { SPAN_KINDS, STATUSES } from "../otlp/span-enums.ts";
import { QueryError } from "../query-error.ts";
import { childrenOf, durationNs, Source, unquote } from "../syntax.ts";
import {
  type Aggregate,
  type CompareOp,
  type Field,
  type Intrinsic,
  INTRINSICS,
  type Operand,
  type PipelineStage,
  type Spanset,
  type SpansetOp,
  type TraceQuery,
  type Value,
} from "./ast.ts";
import { readCondition } from "./expression.ts";

const MAX_DEPTH = 128;

const INTRINSIC_NAMES = new Map<string, Intrinsic>(
  (Object.keys(INTRINSICS) as Intrinsic[]).flatMap((name) => [
    [name, name],
    [INTRINSICS[name], name],
  ]),
);
const SPANSET_OPS = new Set<string>(["&&", "||", ">", ">>", "<", "<<", "~"]);

/**
 * Parses a query; throws QueryError with the position of a syntax error or the name of an
 * unsupported construct.
 */
export function parseTraceQl(text: string): TraceQuery {
  const source = new Source({ name: "TraceQL", parser, blame: "invalid TraceQL query" }, text);
  return new Reader(source).query(source.tree());
}

class Reader {
  readonly #source: Source;

  constructor(source: Source) {
    this.#source = source;
  }

  query(top: SyntaxNode): TraceQuery {
    const stages: SyntaxNode[] = [];
    for (const child of childrenOf(top)) {
      // `with(most_recent=true)` requests an order that answers always have here.
      if (child.name === "WithHint") continue;
      if (child.name !== "SpansetPipelineExpression")
        throw this.#source.unsupported(this.#source.text(child));
      this.#pipeline(child, stages, 0);
    }
    const [first, ...rest] = stages;
    if (first === undefined) throw this.#source.invalid("it is empty");
    return { spanset: this.#spanset(first, 0), stages: rest.map((node) => this.#stage(node)) };
  }

  /** Splits `a | b | c`. */
  #pipeline(node: SyntaxNode, stages: SyntaxNode[], depth: number): void {
    const children = childrenOf(node);
    const isPipe = children.some(({ name }) => name === "Pipe");
    if (!isPipe || depth > MAX_DEPTH) {
      stages.push(node);
      return;
    }
    for (const child of children) {
      if (child.name !== "Pipe") this.#pipeline(child, stages, depth + 1);
    }
  }

  #spanset(node: SyntaxNode, depth: number): Spanset {
    if (depth > MAX_DEPTH) throw new QueryError(`a query must nest at most ${MAX_DEPTH} deep`);
    const children = childrenOf(node);
    const [first, operator, second] = children;
    if (first === undefined) {
      if (node.name === "SpansetFilter")
        return { kind: "filter", expression: { kind: "constant", value: true } };
      throw this.#source.unsupported(this.#source.text(node));
    }
    if (node.name === "SpansetFilter") {
      return {
        kind: "filter",
        expression: readCondition(this.#source, (one) => this.#operand(one), first),
      };
    }
    if (node.name !== "SpansetPipelineExpression" && node.name !== "SpansetPipeline") {
      throw this.#source.unsupported(this.#source.text(node));
    }
    if (operator === undefined) return this.#spanset(first, depth + 1);
    // The sibling operator `~` is not a node; it is the text between the other two.
    const right = second ?? operator;
    const op = this.#source.between(first.to, right.from).replaceAll(/[()\s]/g, "");
    if (!SPANSET_OPS.has(op)) throw this.#source.unsupported(`spanset operator ${op}`);
    return {
      kind: "combine",
      op: op as SpansetOp,
      left: this.#spanset(first, depth + 1),
      right: this.#spanset(right, depth + 1),
    };
  }

  #stage(node: SyntaxNode): PipelineStage {
    const pipeline = node.name === "SpansetPipelineExpression" ? node.firstChild : node;
    const operation = pipeline?.firstChild ?? null;
    if (pipeline === null || operation === null)
      throw this.#source.unsupported(this.#source.text(node));
    if (operation.name === "SelectOperation") {
      const fields = this.#source.all(operation, "FieldExpression").map((one) => this.#field(one));
      return { kind: "select", fields };
    }
    if (operation.name === "ScalarFilter") return this.#aggregate(operation);
    if (operation.name === "SpansetFilter" || pipeline.name === "SpansetPipelineExpression") {
      return { kind: "filter", spanset: this.#spanset(node, 0) };
    }
    throw this.#source.unsupported(`stage ${this.#source.head(operation)}`);
  }

  #aggregate(node: SyntaxNode): PipelineStage {
    const [left, operator, right] = childrenOf(node);
    const aggregate = left?.getChild("Aggregate") ?? null;
    const literal = right?.firstChild ?? null;
    if (operator === undefined || aggregate === null || literal === null) {
      throw this.#source.unsupported(`scalar filter ${this.#source.text(node)}`);
    }
    const value = this.#literal(literal);
    if (value.kind !== "number" && value.kind !== "duration") {
      throw this.#source.unsupported(`comparison with ${this.#source.text(literal)}`);
    }
    const name = /^\w+/.exec(this.#source.text(aggregate))?.[0] as Aggregate;
    const field = aggregate.getChild("FieldExpression");
    return {
      kind: "aggregate",
      aggregate: name,
      ...(field === null ? {} : { field: this.#field(field) }),
      op: this.#source.text(operator) as CompareOp,
      value: value.value,
    };
  }

  /** An operand of a condition: a literal or a field. */
  #operand(node: SyntaxNode): Operand {
    const child = node.firstChild;
    if (child?.name === "Static") return { kind: "value", value: this.#literal(child) };
    return this.#field(node);
  }

  #field(node: SyntaxNode): Field {
    const child = node.firstChild;
    if (child?.name === "IntrinsicField") {
      const name = INTRINSIC_NAMES.get(this.#source.text(child));
      if (name === undefined) throw this.#source.unsupported(`field ${this.#source.text(child)}`);
      return { kind: "intrinsic", name };
    }
    const identifier = child?.getChild("Identifier") ?? null;
    if (child?.name !== "AttributeField" || identifier === null) {
      throw this.#source.unsupported(this.#source.text(node));
    }
    const text = this.#source.text(identifier);
    const name = text.startsWith('"') ? (unquote(text) ?? text) : text;
    const scope = child.firstChild?.name ?? "";
    if (scope === "Identifier") return { kind: "attribute", scope: "any", name };
    if (scope === "Span") return { kind: "attribute", scope: "span", name };
    if (scope === "Resource") return { kind: "attribute", scope: "resource", name };
    throw this.#source.unsupported(`the scope of ${this.#source.text(child)}`);
  }

  /** A literal; `node` is the Static, or the number itself in a scalar filter. */
  #literal(node: SyntaxNode): Value {
    const text = this.#source.text(node).trim();
    const type = node.name === "Static" ? (node.firstChild?.name ?? "") : node.name;
    if (type === "String") {
      return { kind: "string", value: this.#source.string(node.firstChild ?? node) };
    }
    if (type === "Integer" || type === "Float") return { kind: "number", value: Number(text) };
    const duration = durationNs(text);
    if (duration !== undefined) return { kind: "duration", value: duration };
    if (text === "true" || text === "false") return { kind: "boolean", value: text === "true" };
    if (text === "nil") return { kind: "nil" };
    if ((STATUSES as readonly string[]).includes(text)) return { kind: "status", value: text };
    if ((SPAN_KINDS as readonly string[]).includes(text)) return { kind: "spanKind", value: text };
    throw this.#source.unsupported(`the value ${text}`);
  }
}
