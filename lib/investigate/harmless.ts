/** Values from telemetry as a model or a person may see them: untrusted text is withheld, numbers are short. */

/** A word that cannot carry an instruction: names, numbers, versions, addresses. */
const HARMLESS = /^[\w.,:;+*/@%()=[\]-]{1,60}$/;

/**
 * A value from telemetry as a model may see it.
 *
 * Telemetry is written by whoever writes to the system, so prose in it is withheld: a sentence
 * can carry an instruction, a name or a number cannot.
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
