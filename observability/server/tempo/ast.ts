/** The syntax tree of TraceQL, after parsing and checking. */
import type { Test } from "../regex.ts";

/** The intrinsic fields, each with its scoped name. */
export const INTRINSICS = {
  duration: "span:duration",
  kind: "span:kind",
  name: "span:name",
  rootName: "trace:rootName",
  rootServiceName: "trace:rootService",
  status: "span:status",
  statusMessage: "span:statusMessage",
  traceDuration: "trace:duration",
  "trace:id": "trace:id",
  "span:id": "span:id",
} as const;
export type Intrinsic = keyof typeof INTRINSICS;

export type Field =
  | { readonly kind: "intrinsic"; readonly name: Intrinsic }
  | {
      readonly kind: "attribute";
      readonly scope: "any" | "span" | "resource";
      readonly name: string;
    };

/** A value; durations are nanoseconds, and `status`, `kind` are their OTLP numbers. */
export type Value =
  | { readonly kind: "string" | "status" | "spanKind"; readonly value: string }
  | { readonly kind: "number" | "duration"; readonly value: number }
  | { readonly kind: "boolean"; readonly value: boolean }
  | { readonly kind: "nil" };

export type CompareOp = "=" | "!=" | ">" | ">=" | "<" | "<=" | "=~" | "!~";

export type Operand = Field | { readonly kind: "value"; readonly value: Value };

export type Expression =
  | { readonly kind: "and" | "or"; readonly left: Expression; readonly right: Expression }
  | { readonly kind: "not"; readonly inner: Expression }
  | {
      readonly kind: "compare";
      readonly left: Operand;
      readonly op: CompareOp;
      readonly right: Operand;
      readonly test?: Test;
    }
  | { readonly kind: "constant"; readonly value: boolean }
  | { readonly kind: "truth"; readonly field: Field };

export type SpansetOp = "&&" | "||" | ">" | ">>" | "<" | "<<" | "~";

export type Spanset =
  | { readonly kind: "filter"; readonly expression: Expression }
  | {
      readonly kind: "combine";
      readonly op: SpansetOp;
      readonly left: Spanset;
      readonly right: Spanset;
    };

export type Aggregate = "count" | "avg" | "min" | "max" | "sum";

export type PipelineStage =
  | { readonly kind: "filter"; readonly spanset: Spanset }
  | { readonly kind: "select"; readonly fields: readonly Field[] }
  | {
      readonly kind: "aggregate";
      readonly aggregate: Aggregate;
      readonly field?: Field;
      readonly op: CompareOp;
      readonly value: number;
    };

export interface TraceQuery {
  readonly spanset: Spanset;
  readonly stages: readonly PipelineStage[];
}
