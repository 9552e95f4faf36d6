/** The comparisons that conditions name by their sign; both values have one type. */
export const COMPARE = {
  "==": <T extends Comparable>(a: T, b: T) => a === b,
  "!=": <T extends Comparable>(a: T, b: T) => a !== b,
  "<": <T extends Comparable>(a: T, b: T) => a < b,
  "<=": <T extends Comparable>(a: T, b: T) => a <= b,
  ">": <T extends Comparable>(a: T, b: T) => a > b,
  ">=": <T extends Comparable>(a: T, b: T) => a >= b,
} as const;

type Comparable = number | string | boolean;
