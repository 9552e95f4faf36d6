/** Signatures as lists of PromQL conditions; all must hold. */
import type { Observation } from "../lib/base/wait.ts";
import type { SignatureView } from "./define.ts";

export interface Condition {
  /** A brief description. */
  readonly what: string;
  /** PromQL with a single series as result; without a result the condition does not hold. */
  readonly query: string;
  readonly op: ">" | "<" | "==";
  readonly value: number;
  /** Measures the value if PromQL alone cannot; `query` is then only plotted in reports. */
  readonly measure?: (view: SignatureView) => Promise<number | undefined>;
}

/** Holds if every condition holds; `seen` contains their values. */
export function allOf(
  ...conditions: readonly Condition[]
): (view: SignatureView) => Promise<Observation<unknown>> {
  return async (view) => {
    const looks = await Promise.all(
      conditions.map(async (condition) => {
        const { measure, query } = condition;
        const value = await (measure === undefined
          ? view.prometheus.instant(query).then(([first]) => first?.value)
          : measure(view));
        return { ok: value !== undefined && compare(value, condition), value, condition };
      }),
    );
    return {
      ok: looks.every(({ ok }) => ok),
      seen: looks
        .map(
          ({ ok, value, condition: { what, op, value: wanted } }) =>
            `${what} ${value === undefined ? "no data" : rounded(value)}${ok ? "" : ` (wanted ${op} ${wanted})`}`,
        )
        .join(", "),
    };
  };
}

function compare(value: number, { op, value: wanted }: Condition): boolean {
  switch (op) {
    case ">":
      return value > wanted;
    case "<":
      return value < wanted;
    case "==":
      return value === wanted;
  }
}

const rounded = (value: number): string => String(Number(value.toPrecision(4)));
