/** A tool's answer for a model: one line for each fact, cut to its share of tokens. */
import { FactSchema, type Fact } from "../../contract/citation.ts";
import { z } from "zod";
import { shortNumber } from "../harmless.ts";
import { estimateTokens, findJsonObject } from "../model/text.ts";

const MAX_VALUE_CHARACTERS = 160;
/**
 * Number of shares that a call may use: more than one, because most calls need less than theirs.
 */
const SHARES = 1.5;

const ResultSchema = z.object({
  call_id: z.string(),
  facts: z.array(FactSchema),
  notes: z.array(z.string()).default([]),
});

/** Tokens for all results of an investigation; each call takes from the rest. */
export class ResultRoom {
  #left: number;
  /** Number of results that were cut. */
  cut = 0;

  constructor(tokens: number) {
    this.#left = tokens;
  }

  get left(): number {
    return this.#left;
  }

  /** Returns the `text` of a call, cut to its share; `callsLeft` includes this call. */
  fit(text: string, callsLeft: number): string {
    const share = Math.floor((this.#left * SHARES) / (callsLeft - 1 + SHARES));
    const { shown, isCut } = view(text, share);
    if (isCut) this.cut++;
    this.#left = Math.max(0, this.#left - estimateTokens(shown));
    return shown;
  }
}

interface View {
  readonly shown: string;
  readonly isCut: boolean;
}

/** Renders the answer of a call within a number of tokens. */
export function view(text: string, tokens: number): View {
  const parsed = ResultSchema.safeParse(findJsonObject(text));
  if (!parsed.success) return cutText(text, tokens);
  const { call_id, facts, notes } = parsed.data;
  const lines = linesOf(facts);
  const head = `call_id ${call_id}`;
  const shown = [head];
  let used = estimateTokens(`${head}\n`) + NOTE_TOKENS;
  let kept = 0;
  for (const line of [...lines, ...notes]) {
    const left = tokens - used;
    const needed = estimateTokens(`${line}\n`);
    if (needed > left) {
      if (left >= MIN_LINE_TOKENS) shown.push(cutText(line, left).shown);
      break;
    }
    used += needed;
    shown.push(line);
    kept++;
  }
  const left = lines.length + notes.length - kept;
  if (left > 0) shown.push(`(${left} lines are cut; ask a narrower question)`);
  if (lines.length === 0) shown.push("(no data)");
  return { shown: shown.join("\n"), isCut: left > 0 };
}

/** Tokens reserved for the line that says how much is cut. */
const NOTE_TOKENS = 20;
/** Minimum number of tokens for showing part of a line that does not fit. */
const MIN_LINE_TOKENS = 30;

function cutText(text: string, tokens: number): View {
  const characters = Math.max(0, Math.floor(tokens * 2.6));
  if (text.length <= characters) return { shown: text, isCut: false };
  return { shown: `${text.slice(0, Math.max(0, characters - 12))} (cut)`, isCut: true };
}

/** One line for each fact; the values before and during the incident share a line. */
function linesOf(facts: readonly Fact[]): string[] {
  const lines = new Map<string, string[]>();
  for (const { signal, service, labels, value, when } of facts) {
    const named = Object.entries(labels)
      .filter(([name]) => !["instance", "job", "name", "service", "service_name"].includes(name))
      .map(([name, text]) => `${name}=${text.slice(0, MAX_VALUE_CHARACTERS)}`);
    const head = [signal, service ?? "(system)", ...named].join(" ");
    const shown = typeof value === "number" ? shortNumber(value) : value;
    const at = when === "now" ? "" : `${when.replace(/^\d{4}-\d\d-\d\dT|\.000(?=Z$)/g, "")} `;
    lines.set(head, [...(lines.get(head) ?? []), `${at}${shown.slice(0, MAX_VALUE_CHARACTERS)}`]);
  }
  return [...lines].map(([head, values]) => `${head}: ${values.join(", ")}`);
}
