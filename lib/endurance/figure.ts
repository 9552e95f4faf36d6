/** The figures of an endurance run, each with its limit, as a table or as JSON. */
import { table } from "../cli/table.ts";

export interface Figure {
  readonly name: string;
  readonly value: number;
  /** The largest passing value, or the smallest with `atLeast`. */
  readonly limit: number;
  readonly atLeast?: boolean;
  readonly unit: string;
  /** Information about a failed figure, such as names. */
  readonly note?: string;
}

/** Whether the figure is within its limit; NaN is not. */
export const passes = ({ value, limit, atLeast = false }: Figure): boolean =>
  atLeast ? value >= limit : value <= limit;

const short = (value: number): string => String(Number(value.toPrecision(4)));

export function figuresTable(figures: readonly Figure[]): string {
  const rows = figures.map((figure) => {
    const { name, value, limit, atLeast = false, unit, note = "" } = figure;
    const sign = atLeast ? ">=" : "<=";
    return [
      name,
      short(value),
      `${sign} ${short(limit)}`,
      unit,
      passes(figure) ? "ok" : "FAILED",
      note,
    ];
  });
  return table(["figure", "value", "limit", "unit", "verdict", "note"], rows);
}

export const figuresJson = (figures: readonly Figure[]): string =>
  JSON.stringify(
    figures.map((figure) => ({ ...figure, ok: passes(figure) })),
    null,
    2,
  );
