/** Reads prose: detects denied statements and repetitions of the alert. */
import type { Alert } from "../../contract/alert.ts";

/** Minimum share of a sentence's words in the alert for a repetition of it. */
const RESTATED_SHARE = 0.8;
/** Shorter words are ignored. */
const MIN_WORD_CHARACTERS = 4;

/** The sentences of a text that say more than the alert. */
export function withoutRestatement(text: string, alert: Alert): string {
  const known = wordsOf(alertTexts(alert).join(" "));
  return sentencesOf(text)
    .filter((sentence) => {
      const words = [...wordsOf(sentence)];
      const repeated = words.filter((word) => known.has(word)).length;
      return words.length === 0 || repeated < words.length * RESTATED_SHARE;
    })
    .join("\n");
}

function alertTexts({ title, alert_name, message, pipeline_name, ...rest }: Alert): string[] {
  const { commonAnnotations, commonLabels, severity } = rest;
  const values = [...Object.values(commonAnnotations), ...Object.values(commonLabels)];
  return [title, alert_name, message, pipeline_name, severity, ...values, "alert fired firing"];
}

const sentencesOf = (text: string): string[] => text.split(/(?<=[.!?])\s+|\n+/);

const wordsOf = (text: string): Set<string> =>
  new Set(
    (text.toLowerCase().match(/[a-z0-9]+/g) ?? []).filter(
      ({ length }) => length >= MIN_WORD_CHARACTERS,
    ),
  );

/** The beginning of another statement within a sentence. */
const STATEMENTS =
  /[.;:!?](?=\s|$)|\n|\b(?:but|because|since|however|although|while|whereas|so|and|due to|caused by|owing to|which|that)\b/gi;
const DENIED_BEFORE =
  /\b(no|not|never|without|neither|nor|cannot|can't|isn't|wasn't|aren't|doesn't|didn't|exclud(?:e|ed|es|ing)|rul(?:e|ed|es|ing) out|unlikely|lack of|absence of|rather than|instead of)\b/i;
const DENIED_AFTER =
  /\b(ruled out|excluded|unlikely|refuted|absent|not (?:found|seen|present|observed|supported|indicated|confirmed|likely|the|a|to blame|at fault|responsible))\b|\b(?:healthy|unaffected)\b/i;

/** Whether the statement around the words from `start` to `end` denies them. */
export function isDenied(text: string, start: number, end: number): boolean {
  const before = text.slice(0, start);
  const begin = [...before.matchAll(STATEMENTS)].at(-1);
  const lead = before.slice(begin === undefined ? 0 : begin.index + begin[0].length);
  const rest = text.slice(end);
  const stop = [...rest.matchAll(STATEMENTS)][0]?.index ?? rest.length;
  return DENIED_BEFORE.test(openList(lead)) || DENIED_AFTER.test(rest.slice(0, stop));
}

/** Words of an item of a list: `no flood, leak or partition` denies all three. */
const MAX_ITEM_WORDS = 4;

/**
 * The text before a word to which a denial in it applies. A comma ends a denial, unless short items
 * of a list follow.
 */
function openList(lead: string): string {
  const parts = lead.split(",");
  const long = parts.findLastIndex(
    (part, i) => i > 0 && part.trim().split(/\s+/).length > MAX_ITEM_WORDS,
  );
  return parts.slice(Math.max(0, long)).join(",");
}

/** The position of the first match that is not denied; undefined without one. */
export function firstAsserted(text: string, words: RegExp): number | undefined {
  const every = new RegExp(words.source, `${words.flags.replace("g", "")}g`);
  for (const { 0: found, index } of text.matchAll(every)) {
    if (!isDenied(text, index, index + found.length)) return index;
  }
  return undefined;
}
