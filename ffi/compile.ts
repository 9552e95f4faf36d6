/**
 * Evaluates the text of an expression, in strict mode and with the names of `scope` defined. The
 * text must come from encode-source.ts or decode-source.ts, which insert names and values of a
 * declaration as JSON only.
 */
export function compile(scope: Readonly<Record<string, unknown>>, expression: string): unknown {
  // oxlint-disable-next-line typescript/no-implied-eval -- see above
  const make = new Function(...Object.keys(scope), `"use strict"; return ${expression};`);
  return make(...Object.values(scope));
}
