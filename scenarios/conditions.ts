/** Signatures as lists of PromQL conditions that must hold together. */
import type { Observation } from "../lib/base/wait.ts";
import type { SignatureView } from "./define.ts";

export interface Condition {
  /** What the condition says, in a few words. */
  readonly what: string;
  /** PromQL with one series as its result; no result means that the condition does not hold. */
  readonly query: string;
  readonly op: ">" | "<" | "==";
  readonly value: number;
}

/** Holds when every condition does; `seen` lists them all with their values. */
export function allOf(
  ...conditions: readonly Condition[]
): (view: SignatureView) => Promise<Observation<unknown>> {
  return async ({ prometheus }) => {
    const looks = await Promise.all(
      conditions.map(async (condition) => {
        const value = (await prometheus.instant(condition.query))[0]?.value;
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
