/** The figures of a benchmark, as it prints them: one JSON object a line. */

export interface Figure {
  readonly name: string;
  readonly value: number;
  readonly unit: string;
  readonly reference: number | null;
  /** The value divided by the reference; null without a reference, or when it is 0. */
  readonly ratio: number | null;
}

export function figure(
  name: string,
  value: number,
  unit: string,
  reference: number | null = null,
  ratio: number | null = reference === null || reference === 0 ? null : value / reference,
): Figure {
  return { name, value, unit, reference, ratio };
}

export function printFigure(...args: Parameters<typeof figure>): void {
  process.stdout.write(`${JSON.stringify(figure(...args))}\n`);
}

/** The middle value, or the mean of the two middle ones; NaN of no values. */
export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length / 2;
  return ((sorted[Math.ceil(middle) - 1] ?? NaN) + (sorted[Math.floor(middle)] ?? NaN)) / 2;
}
