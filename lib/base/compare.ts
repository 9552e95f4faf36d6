/** Comparison functions by operator; both operands have the same type. */
export const COMPARE = {
  "==": <T extends Comparable>(a: T, b: T) => a === b,
  "!=": <T extends Comparable>(a: T, b: T) => a !== b,
  "<": <T extends Comparable>(a: T, b: T) => a < b,
  "<=": <T extends Comparable>(a: T, b: T) => a <= b,
  ">": <T extends Comparable>(a: T, b: T) => a > b,
  ">=": <T extends Comparable>(a: T, b: T) => a >= b,
} as const;

type Comparable = number | string | boolean;
