/** One line of a benchmark. */
export interface Figure {
  readonly name: string;
  readonly value: number;
  readonly unit: string;
  readonly reference: number | null;
  /** The value by the reference. */
  readonly ratio: number | null;
}

export function figure(name: string, value: number, unit: string, reference?: number): Figure {
  const isComparable = reference !== undefined && reference > 0;
  return {
    name,
    value,
    unit,
    reference: reference ?? null,
    ratio: isComparable ? value / reference : null,
  };
}
