/** The syntax tree of LogQL, after parsing and checking. */
import type { Test } from "../regex.ts";

export type MatchOp = "=" | "!=" | "=~" | "!~";

/** `name op "value"`; `test` is set for the two regular expression operators. */
export interface Matcher {
  readonly name: string;
  readonly op: MatchOp;
  readonly value: string;
  readonly test?: Test;
}

export type CompareOp = "==" | "!=" | ">" | ">=" | "<" | "<=";

/** A label filter's condition. */
export type Condition =
  | { readonly kind: "and" | "or"; readonly left: Condition; readonly right: Condition }
  | { readonly kind: "text"; readonly matcher: Matcher }
  | {
      readonly kind: "number" | "duration" | "bytes";
      readonly name: string;
      readonly op: CompareOp;
      readonly value: number;
    };

export type LineOp = "|=" | "!=" | "|~" | "!~";

export type Stage =
  | {
      readonly kind: "line";
      readonly op: LineOp;
      readonly values: readonly string[];
      readonly tests: readonly Test[];
    }
  | { readonly kind: "json"; readonly fields: readonly JsonField[] }
  | { readonly kind: "logfmt" }
  | { readonly kind: "filter"; readonly condition: Condition }
  | { readonly kind: "drop" | "keep"; readonly names: readonly string[] };

/** `| json name="a.b[0]"`; without fields, `| json` extracts all. */
export interface JsonField {
  readonly name: string;
  readonly path: readonly (string | number)[];
}

export interface LogQuery {
  readonly kind: "log";
  readonly matchers: readonly Matcher[];
  readonly stages: readonly Stage[];
}

export interface Grouping {
  readonly without: boolean;
  readonly names: readonly string[];
}

export interface Unwrap {
  readonly label: string;
  readonly convert: "number" | "duration" | "bytes";
  /** Filters after `unwrap`. */
  readonly after: readonly Stage[];
}

export const RANGE_OPS = [
  "count_over_time",
  "rate",
  "bytes_over_time",
  "bytes_rate",
  "sum_over_time",
  "avg_over_time",
  "min_over_time",
  "max_over_time",
  "first_over_time",
  "last_over_time",
  "quantile_over_time",
  "absent_over_time",
] as const;
export type RangeOp = (typeof RANGE_OPS)[number];

export const VECTOR_OPS = ["sum", "avg", "min", "max", "count", "topk", "bottomk"] as const;
export type VectorOp = (typeof VECTOR_OPS)[number];

export const BINARY_OPS = ["+", "-", "*", "/", "%", "^", "==", "!=", ">", ">=", "<", "<="] as const;
export type BinaryOp = (typeof BINARY_OPS)[number];

export type MetricQuery =
  | {
      readonly kind: "range";
      readonly op: RangeOp;
      readonly log: LogQuery;
      readonly rangeNs: bigint;
      readonly offsetNs: bigint;
      readonly unwrap?: Unwrap;
      readonly parameter?: number;
      readonly grouping?: Grouping;
    }
  | {
      readonly kind: "vector";
      readonly op: VectorOp;
      readonly inner: MetricQuery;
      readonly grouping: Grouping;
      readonly parameter?: number;
    }
  | {
      readonly kind: "binary";
      readonly op: BinaryOp;
      readonly bool: boolean;
      readonly left: MetricQuery;
      readonly right: MetricQuery;
    }
  | { readonly kind: "number"; readonly value: number };

export type Query = LogQuery | MetricQuery;
