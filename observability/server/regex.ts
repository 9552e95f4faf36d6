/**
 * Regular expressions of LogQL and TraceQL: RE2's syntax, in time linear in the text. JavaScript's
 * engine backtracks: `(a+)+$` on a long line would block the process.
 */
import { RE2JS, RE2JSException } from "re2js";
import { QueryError } from "./query-error.ts";

/** The expression breaks a rule of the syntax, or exceeds a limit. */
export class RegexError extends QueryError {}

/** Returns whether a text matches. */
export type Test = (text: string) => boolean;

const MAX_PATTERN_CHARS = 8192;
/**
 * Maximum size of the compiled expression. RE2 allows 1.4 million, which takes a second and 600 MB
 * to compile.
 */
const MAX_STEPS = 5000;
/**
 * Maximum of steps times characters of a text: at most a second, measured with `[a-z]{0,1000}` four
 * times.
 */
const MAX_WORK = 20_000_000;

/**
 * Compiles `pattern`. With `whole`, the whole text must match, as label matchers demand; without,
 * any part. Throws RegexError; so does the returned function for a text that is too long.
 */
export function compileRegex(pattern: string, whole: boolean): Test {
  if (pattern.length > MAX_PATTERN_CHARS) {
    throw new RegexError(
      `a regular expression must have at most ${MAX_PATTERN_CHARS} characters, but has ${pattern.length}`,
    );
  }
  const steps = stepsOf(pattern);
  if (steps > MAX_STEPS) {
    throw new RegexError(
      `a regular expression must compile to at most ${MAX_STEPS} steps, repeats multiplied, but would have ${steps}`,
    );
  }
  const regex = parse(pattern);
  const maxChars = Math.floor(MAX_WORK / Math.max(steps, regex.programSize()));
  return (text) => {
    if (text.length > maxChars) {
      throw new RegexError(
        `a regular expression of this size reads at most ${maxChars} characters, but a text has ${text.length}`,
      );
    }
    return whole ? regex.testExact(text) : regex.test(text);
  };
}

function parse(pattern: string): RE2JS {
  try {
    return RE2JS.compile(pattern);
  } catch (error) {
    if (error instanceof RE2JSException) throw new RegexError(error.message, { cause: error });
    throw error;
  }
}

/** Quoted text, an escape, a class, a counted repeat with its bounds, or a single character. */
const TOKENS =
  /\\Q(?<quoted>.*?)(?:\\E|$)|\\[xpP]\{[^}]*\}|\\.|\[\^?\]?(?:\\.|\[:\^?\w+:\]|[^\]\\])*\]|\{(?<min>\d+)(?:,(?<max>\d*))?\}|./gsu;

/**
 * Estimates the number of steps of an expression before its compilation; repeated parts count once
 * for each repetition.
 */
function stepsOf(pattern: string): number {
  const outer: number[] = [];
  let sum = 0;
  let atom = 0;
  for (const { 0: token, groups = {} } of pattern.matchAll(TOKENS)) {
    const { quoted, min, max = "" } = groups;
    if (token === "(") {
      outer.push(sum);
      sum = 0;
      continue;
    }
    if (token === ")") {
      // A group itself has two steps.
      atom = sum + 2;
      sum = outer.pop() ?? 0;
    } else if (min !== undefined) {
      atom *= Math.max(1, Number(min), Number(max)) - 1;
    } else {
      atom = quoted?.length ?? 1;
    }
    sum += atom;
  }
  return outer.reduce((total, one) => total + one, sum);
}
