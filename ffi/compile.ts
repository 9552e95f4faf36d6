/**
 * Evaluates the text of an expression, in strict mode and with `scope` in sight. The text must be of encode-source.ts or
 * decode-source.ts: into it, names and values of a declaration get as JSON only.
 */
export function compile(scope: Readonly<Record<string, unknown>>, expression: string): unknown {
  // oxlint-disable-next-line typescript/no-implied-eval -- see above
  const make = new Function(...Object.keys(scope), `"use strict"; return ${expression};`);
  return make(...Object.values(scope));
}
