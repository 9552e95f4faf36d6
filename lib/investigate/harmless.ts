/** Makes values from telemetry fit to be shown: hides untrusted text, shortens numbers. */

/** A word that cannot carry an instruction: names, numbers, versions, addresses. */
const HARMLESS = /^[\w.,:;+*/@%()=[\]-]{1,60}$/;

/**
 * Returns a value from telemetry in a form that a model may see.
 *
 * Anybody who can write to the system can write telemetry, so text is hidden: a sentence can carry
 * an instruction, a name or a number cannot.
 */
export function harmless(value: string | number): string {
  if (typeof value === "number") return shortNumber(value);
  return HARMLESS.test(value) ? value : `(text of ${value.length} characters withheld)`;
}

/** A number with as many digits as a reader needs. */
export function shortNumber(value: number): string {
  if (!Number.isFinite(value)) return String(value);
  if (Number.isInteger(value) && Math.abs(value) < 1e6) return String(value);
  const size = Math.abs(value);
  const rounded = Number(value.toPrecision(3));
  return size >= 1e6 || size < 1e-4 ? rounded.toExponential() : String(rounded);
}
