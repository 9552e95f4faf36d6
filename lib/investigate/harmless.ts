/** Makes values from telemetry safe to show: hides untrusted text, shortens numbers. */

/** A word that cannot be an instruction: names, numbers, versions, addresses. */
const HARMLESS = /^[\w.,:;+*/@%()=[\]-]{1,60}$/;

/**
 * Returns a value from telemetry in a form that is safe for a model.
 *
 * Anybody who can write to the system can write telemetry, so text is hidden: a sentence can be an
 * instruction, a name or a number cannot.
 */
export function harmless(value: string | number): string {
  if (typeof value === "number") return shortNumber(value);
  return HARMLESS.test(value) ? value : `(text of ${value.length} characters withheld)`;
}

/** A number with the digits that a reader needs. */
export function shortNumber(value: number): string {
  if (!Number.isFinite(value)) return String(value);
  if (Number.isInteger(value) && Math.abs(value) < 1e6) return String(value);
  const size = Math.abs(value);
  const rounded = Number(value.toPrecision(3));
  return size >= 1e6 || size < 1e-4 ? rounded.toExponential() : String(rounded);
}
