/** Reads the output of models: loops, JSON inside text, thoughts, token counts. */

/**
 * Estimates the tokens of a text, rather too high than too low: tables and names in the prompts had
 * 2.6 to 3.4 characters per token.
 */
export function estimateTokens(text: string): number {
  return Math.ceil(text.length / 2.6);
}

/** Length of the tail that is searched for a loop, and the repeats that make a loop. */
const LOOP_WINDOW = 400;
const LOOP_REPEATS = 6;

/**
 * Whether a text repeats itself: its end is the same piece of up to 60 characters many times.
 *
 * A table of similar numbers is not a loop: the pieces must be identical.
 */
export function isLooping(text: string): boolean {
  if (text.length < LOOP_WINDOW) return false;
  const tail = text.slice(-LOOP_WINDOW);
  for (let period = 1; period <= LOOP_WINDOW / LOOP_REPEATS; period++) {
    if (tail.slice(period) === tail.slice(0, -period)) return true;
  }
  return false;
}

/**
 * Whether a text has at least two words. Small models fill a required text with `1`, `:{` or the
 * name of an action.
 */
export function isSentence(text: string): boolean {
  return text.split(/\s+/).filter((word) => /\p{L}{2}/u.test(word)).length >= 2;
}

/** Removes the thoughts of a thinking model; an unclosed thought extends to the end. */
export function withoutThoughts(text: string): string {
  return text.replaceAll(/<think(?:ing)?>[\s\S]*?(?:<\/think(?:ing)?>|$)/g, "").trim();
}

/**
 * Finds the first JSON object in a text, which may have prose or a code fence around it.
 *
 * Returns undefined when none parses.
 */
export function findJsonObject(text: string): Record<string, unknown> | undefined {
  for (let start = text.indexOf("{"); start >= 0; start = text.indexOf("{", start + 1)) {
    const end = closingBrace(text, start);
    if (end === undefined) continue;
    const parsed = tryParse(text.slice(start, end + 1));
    if (parsed !== undefined) return parsed;
  }
  return undefined;
}

function tryParse(text: string): Record<string, unknown> | undefined {
  try {
    return JSON.parse(text) as Record<string, unknown>;
  } catch (error) {
    // Text that is not JSON is expected here; any other error is a defect.
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}

function closingBrace(text: string, start: number): number | undefined {
  let depth = 0;
  let inString = false;
  for (let i = start; i < text.length; i++) {
    const char = text[i];
    if (inString) {
      if (char === "\\") i++;
      else if (char === '"') inString = false;
    } else if (char === '"') inString = true;
    else if (char === "{") depth++;
    else if (char === "}" && --depth === 0) return i;
  }
  return undefined;
}

/** The value if it is an object and not a list; null otherwise. */
export function asObject(value: unknown): Record<string, unknown> | null {
  return typeof value === "object" && value !== null && !Array.isArray(value)
    ? (value as Record<string, unknown>)
    : null;
}
