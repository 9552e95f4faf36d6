/**
 * Runs one line through the stages of a LogQL pipeline, with Loki's rules for name clashes and
 * errors.
 */
import { COMPARE } from "../../../lib/base/compare.ts";
import { byteSize, durationNs } from "../syntax.ts";
import type { Condition, Stage, Unwrap } from "./ast.ts";
import { extractJson, extractJsonFields, extractLogfmt } from "./extract.ts";
import { satisfies } from "./parse-parts.ts";

export type Labels = Record<string, string>;

/** The labels of one line, by origin. */
export interface LineLabels {
  readonly stream: Labels;
  readonly metadata: Labels;
  readonly parsed: Labels;
}

export const ERROR_LABEL = "__error__";
const DETAILS_LABEL = "__error_details__";
const DUPLICATE_SUFFIX = "_extracted";

/** Combines stored labels; metadata with the name of a stream label gets a suffix. */
export function lineLabels(stream: Labels, metadata: Labels): LineLabels {
  const own: Labels = {};
  for (const [name, value] of Object.entries(metadata)) {
    own[Object.hasOwn(stream, name) ? name + DUPLICATE_SUFFIX : name] = value;
  }
  return { stream, metadata: own, parsed: {} };
}

/** A label's value; an absent one is the empty string. */
export function labelOf(labels: LineLabels, name: string): string {
  return findLabel(labels, name) ?? "";
}

/** A label's value; undefined for an absent one. */
function findLabel({ parsed, metadata, stream }: LineLabels, name: string): string | undefined {
  return [parsed, metadata, stream].find((part) => Object.hasOwn(part, name))?.[name];
}

/**
 * All labels in one object; parsed ones have precedence over metadata, metadata over the stream's.
 */
export function mergedLabels({ stream, metadata, parsed }: LineLabels): Labels {
  return { ...stream, ...metadata, ...parsed };
}

function setError(labels: LineLabels, error: string, details: string): void {
  labels.parsed[ERROR_LABEL] = error;
  labels.parsed[DETAILS_LABEL] = details;
}

/** Runs the stages; returns the labels, or undefined when the line is filtered out. */
export function runStages(
  stages: readonly Stage[],
  line: string,
  start: LineLabels,
): LineLabels | undefined {
  let labels = start;
  for (const stage of stages) {
    switch (stage.kind) {
      case "line":
        if (!lineMatches(stage, line)) return undefined;
        break;
      case "filter":
        if (!conditionHolds(stage.condition, labels)) return undefined;
        break;
      case "json":
      case "logfmt":
        parseInto(labels, stage, line);
        break;
      case "drop":
        labels = select(labels, (name) => !stage.names.includes(name));
        break;
      case "keep":
        labels = select(labels, (name) => stage.names.includes(name) || name.startsWith("__error"));
        break;
    }
  }
  return labels;
}

function lineMatches(stage: Stage & { kind: "line" }, line: string): boolean {
  switch (stage.op) {
    case "|=":
      return stage.values.some((value) => line.includes(value));
    case "!=":
      return !stage.values.some((value) => line.includes(value));
    case "|~":
      return stage.tests.some((test) => test(line));
    case "!~":
      return !stage.tests.some((test) => test(line));
  }
}

function parseInto(
  labels: LineLabels,
  stage: Stage & { kind: "json" | "logfmt" },
  line: string,
): void {
  const set = (name: string, value: string): void => {
    const clash = Object.hasOwn(labels.stream, name) || Object.hasOwn(labels.metadata, name);
    labels.parsed[clash ? name + DUPLICATE_SUFFIX : name] = value;
  };
  if (stage.kind === "logfmt") {
    extractLogfmt(line, set);
    return;
  }
  const problem =
    stage.fields.length === 0 ? extractJson(line, set) : extractJsonFields(line, stage.fields, set);
  if (problem !== undefined) setError(labels, "JSONParserErr", problem);
}

function select(labels: LineLabels, wanted: (name: string) => boolean): LineLabels {
  const pick = (part: Labels): Labels =>
    Object.fromEntries(Object.entries(part).filter(([name]) => wanted(name)));
  return {
    stream: pick(labels.stream),
    metadata: pick(labels.metadata),
    parsed: pick(labels.parsed),
  };
}

function conditionHolds(condition: Condition, labels: LineLabels): boolean {
  switch (condition.kind) {
    case "and":
      return conditionHolds(condition.left, labels) && conditionHolds(condition.right, labels);
    case "or":
      return conditionHolds(condition.left, labels) || conditionHolds(condition.right, labels);
    case "text":
      return satisfies(condition.matcher, labelOf(labels, condition.matcher.name));
    case "number":
    case "duration":
    case "bytes": {
      const text = findLabel(labels, condition.name);
      if (text === undefined) return false;
      const value = convert(text, condition.kind);
      if (value === undefined) {
        // The line is kept to show the error; an earlier error has precedence.
        if (labelOf(labels, ERROR_LABEL) === "") {
          setError(labels, "LabelFilterErr", conversionProblem(text, condition.kind));
        }
        return true;
      }
      return COMPARE[condition.op](value, condition.value);
    }
  }
}

function convert(text: string, kind: "number" | "duration" | "bytes"): number | undefined {
  if (kind === "duration") return durationNs(text);
  if (kind === "bytes") return byteSize(text);
  return /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i.test(text) ? Number(text) : undefined;
}

function conversionProblem(text: string, kind: "number" | "duration" | "bytes"): string {
  const quoted = JSON.stringify(text);
  if (kind === "number") return `strconv.ParseFloat: parsing ${quoted}: invalid syntax`;
  return kind === "duration"
    ? `time: invalid duration ${quoted}`
    : `cannot read ${quoted} as a size`;
}

/**
 * The number that `unwrap` reads from a line, with the remaining labels; undefined when the line
 * has no such label or a filter after `unwrap` drops it.
 */
export function unwrapLine(
  unwrap: Unwrap,
  line: string,
  labels: LineLabels,
): { value: number; labels: LineLabels } | undefined {
  const text = findLabel(labels, unwrap.label);
  if (text === undefined) return undefined;
  const number = convert(text, unwrap.convert);
  const rest = select(labels, (name) => name !== unwrap.label);
  if (number === undefined)
    setError(rest, "SampleExtractionErr", conversionProblem(text, unwrap.convert));
  const after = runStages(unwrap.after, line, rest);
  if (after === undefined) return undefined;
  const value = unwrap.convert === "duration" ? (number ?? 0) / 1e9 : (number ?? 0);
  return { value, labels: after };
}
