/** The stages of a LogQL pipeline. */
import type { SyntaxNode } from "@lezer/common";
import { byteSize, childrenOf, durationNs, type Source } from "../syntax.ts";
import type { CompareOp, Condition, JsonField, LineOp, Stage, Unwrap } from "./ast.ts";
import { matcherFrom } from "./parse-parts.ts";

/** The stages of a PipelineExpr, which is nested to the left. */
export function stagesFrom(source: Source, pipeline: SyntaxNode): Stage[] {
  return childrenOf(pipeline).flatMap((child) =>
    child.name === "PipelineExpr" ? stagesFrom(source, child) : stageFrom(source, child),
  );
}

function stageFrom(source: Source, stage: SyntaxNode): Stage[] {
  const node = childrenOf(stage).find(({ name }) => name !== "Pipe");
  if (node === undefined) throw source.invalid("an empty pipeline stage");
  switch (node.name) {
    case "LineFilters":
      return source.all(node, "LineFilter").map((one) => lineFilterFrom(source, one));
    case "LabelParser":
      if (node.getChild("Json") !== null) return [{ kind: "json", fields: [] }];
      throw source.unsupported(`stage ${source.head(node)}`);
    case "LogfmtParser":
      if (node.getChild("LogfmtParserFlags") !== null || node.getChild("ParserFlag") !== null) {
        throw source.unsupported("a flag of stage logfmt");
      }
      return [{ kind: "logfmt" }];
    case "JsonExpressionParser":
      return [{ kind: "json", fields: jsonFieldsFrom(source, node) }];
    case "LabelFilter":
      return [{ kind: "filter", condition: conditionFrom(source, node) }];
    case "DropLabelsExpr":
      return [{ kind: "drop", names: labelNames(source, node, "DropLabel") }];
    case "KeepLabelsExpr":
      return [{ kind: "keep", names: labelNames(source, node, "KeepLabel") }];
    default:
      throw source.unsupported(`stage ${source.head(node)}`);
  }
}

function labelNames(source: Source, node: SyntaxNode, item: string): string[] {
  return source.all(node, item).map((one) => {
    if (one.getChild("Matcher") !== null)
      throw source.unsupported(`a matcher in ${source.head(node)}`);
    return source.text(one).trim();
  });
}

function lineFilterFrom(source: Source, node: SyntaxNode): Stage {
  if (node.getChild("FilterOp") !== null) throw source.unsupported("line filter ip()");
  const op = source.text(source.only(node, "Filter")).trim();
  if (op === "|>" || op === "!>") throw source.unsupported(`pattern filter ${op}`);
  const values = source.all(node, "String").map((one) => source.string(one));
  const isRegex = op === "|~" || op === "!~";
  return {
    kind: "line",
    op: op as LineOp,
    values,
    tests: isRegex ? values.map((value) => source.regex(value, false)) : [],
  };
}

function jsonFieldsFrom(source: Source, node: SyntaxNode): JsonField[] {
  return source.all(node, "LabelExtractionExpression").map((one) => {
    const name = source.text(source.only(one, "Identifier"));
    const path = one.getChild("String");
    return { name, path: jsonPath(source, path === null ? name : source.string(path)) };
  });
}

/** Parses a path such as `a.b[0]["c d"]` into steps. */
function jsonPath(source: Source, text: string): (string | number)[] {
  const steps: (string | number)[] = [];
  let rest = text;
  while (rest !== "") {
    const step = /^(?:\.?([A-Za-z_][\w-]*)|\[(\d+)\]|\["((?:[^"\\]|\\.)*)"\])/.exec(rest);
    if (step === null) throw source.invalid(`cannot read the JSON path ${JSON.stringify(text)}`);
    if (step[2] === undefined) steps.push(step[1] ?? step[3] ?? "");
    else steps.push(Number(step[2]));
    rest = rest.slice(step[0].length);
  }
  return steps;
}

/**
 * A label filter. `and`, a comma and juxtaposition have precedence over `or`. The grammar's tree
 * does not express that, so the operands are collected in order and grouped here.
 */
function conditionFrom(source: Source, node: SyntaxNode): Condition {
  const operands: Condition[][] = [[]];
  for (const item of flat(source, node)) {
    if (item === "or") operands.push([]);
    else if (item !== "and") operands.at(-1)?.push(item);
  }
  const groups = operands.map((group) => join(source, "and", group));
  return join(source, "or", groups);
}

function join(source: Source, kind: "and" | "or", conditions: readonly Condition[]): Condition {
  const [first, ...rest] = conditions;
  if (first === undefined) throw source.invalid("an empty label filter");
  return rest.reduce((left, right) => ({ kind, left, right }), first);
}

function flat(source: Source, node: SyntaxNode): (Condition | "and" | "or")[] {
  const children = childrenOf(node);
  const leaf = leafFrom(source, node, children);
  if (leaf !== undefined) return [leaf];
  const items: (Condition | "and" | "or")[] = [];
  for (const child of children) {
    if (child.name === "And" || child.name === "Or")
      items.push(child.name === "And" ? "and" : "or");
    else if (isParenthesized(source, child)) items.push(conditionFrom(source, child));
    else items.push(...flat(source, child));
  }
  return items;
}

/** Parentheses are not nodes: a node that begins with one starts before its first child. */
const isParenthesized = (source: Source, node: SyntaxNode): boolean =>
  source.text(node).startsWith("(") && node.firstChild !== null && node.firstChild.from > node.from;

function leafFrom(source: Source, node: SyntaxNode, children: SyntaxNode[]): Condition | undefined {
  const [only] = children;
  if (children.length !== 1 || only === undefined || node.name !== "LabelFilter") return undefined;
  switch (only.name) {
    case "Matcher":
      return { kind: "text", matcher: matcherFrom(source, only) };
    case "NumberFilter":
      return comparison(source, only, "number");
    case "UnitFilter": {
      const inner = only.firstChild;
      if (inner?.name === "DurationFilter") return comparison(source, inner, "duration");
      if (inner?.name === "BytesFilter") return comparison(source, inner, "bytes");
      throw source.unsupported(`label filter ${source.text(only)}`);
    }
    case "LabelFilter":
      return undefined;
    default:
      throw source.unsupported(`label filter ${source.head(only)}`);
  }
}

function comparison(
  source: Source,
  node: SyntaxNode,
  kind: "number" | "duration" | "bytes",
): Condition {
  const [name, operator, literal] = childrenOf(node);
  if (name === undefined || operator === undefined || literal === undefined) {
    throw source.invalid("a label filter needs a name, an operator and a value");
  }
  const text = source.text(literal).replaceAll(" ", "");
  const value =
    kind === "number" ? Number(text) : kind === "duration" ? durationNs(text) : byteSize(text);
  if (value === undefined) throw source.invalid(`${text} is not a ${kind}`);
  const op = source.text(operator).trim();
  return { kind, name: source.text(name), op: (op === "=" ? "==" : op) as CompareOp, value };
}

/** `| unwrap label`, `| unwrap duration(label)`, and label filters after it. */
export function unwrapFrom(source: Source, node: SyntaxNode): Unwrap {
  const inner = node.getChild("UnwrapExpr");
  if (inner !== null) {
    const unwrap = unwrapFrom(source, inner);
    const filter = node.getChild("LabelFilter");
    if (filter === null) return unwrap;
    const stage: Stage = { kind: "filter", condition: conditionFrom(source, filter) };
    return { ...unwrap, after: [...unwrap.after, stage] };
  }
  const conversion = node.getChild("ConvOp");
  const name = conversion === null ? "number" : source.text(conversion);
  return {
    label: source.text(source.only(node, "Identifier")),
    convert: name === "number" ? "number" : name === "bytes" ? "bytes" : "duration",
    after: [],
  };
}
