/**
 * Decides whether a cited fact shows a piece of evidence: it is from the incident, about the right
 * service, measured as the rubric demands, and read instead of computed. Pure.
 *
 * Investigators write their own queries. A citation of `cms_x * 0 + 500` is grounded, because the
 * record contains the value, but it shows nothing.
 */
import { COMPARE } from "../base/compare.ts";
import type { EvidenceRecord } from "../contract/answer.ts";
import type { Fact } from "../contract/citation.ts";
import type { AcceptedSignal, ExpectedEvidence } from "../truth/truth.ts";

/** A fact that the answer cites, and the call that returned it. */
export interface CitedFact {
  readonly fact: Fact;
  readonly record: EvidenceRecord;
}

/** Maximum difference between the clock of a scrape and the clock of the lab's events. */
const CLOCK_SLACK_MS = 2000;

/**
 * Returns the cited fact from `sinceUnixMs` on that shows `expected`; undefined when there is none.
 */
export function findShown(
  { any_of, service }: ExpectedEvidence,
  cited: readonly CitedFact[],
  sinceUnixMs: number,
): Fact | undefined {
  return cited.find(({ fact, record }) => {
    if (!isFrom(fact, sinceUnixMs)) return false;
    return any_of.some((accepted) => {
      const wanted = accepted.service ?? service;
      return (wanted === undefined || fact.service === wanted) && matches(accepted, fact, record);
    });
  })?.fact;
}

/** A fact of the time before the alert never counts; a fact with a time counts by it. */
function isFrom({ when }: Fact, sinceUnixMs: number): boolean {
  if (when === "before") return false;
  const at = Date.parse(when);
  return Number.isNaN(at) || at >= sinceUnixMs - CLOCK_SLACK_MS;
}

function matches(accepted: AcceptedSignal, fact: Fact, record: EvidenceRecord): boolean {
  const { signal, labels = {}, holds, as } = accepted;
  if (fact.signal !== signal || isCount(fact)) return false;
  const query = queryOf(record);
  for (const [name, value] of Object.entries(labels)) {
    // An aggregation drops the label, so a selection by it counts too.
    const selected = query?.includes(`${name}="${value}"`) ?? false;
    if (fact.labels[name] !== value && !selected) return false;
  }
  if (holds === undefined) return true;
  if (query !== undefined && !isRead(query, fact.value)) return false;
  const value = as === undefined ? fact.value : measured(as, fact, query);
  return value !== undefined && compares(value, holds);
}

/** The catalogue tool returns the number of series under the name of the metric. */
const isCount = ({ labels }: Fact): boolean => labels["meaning"] === "number of series";

/** The query of a call; undefined for a tool without one, such as a comparison. */
function queryOf({ arguments: args }: EvidenceRecord): string | undefined {
  if (typeof args["query"] === "string") return args["query"];
  if (typeof args["path"] !== "string") return undefined;
  const search = new URLSearchParams(args["path"].split("?").slice(1).join("?"));
  return search.get("query") ?? search.get("q") ?? "";
}

/** Functions and words that put values, names or times into a result without measuring them. */
const MADE_UP =
  /\b(bool|vector|scalar|time|label_replace|label_join|clamp|clamp_min|clamp_max|absent|absent_over_time|sgn|offset|line_format|label_format)\b|@/;
/** The average of a histogram is its sum divided by its count. */
const AVERAGE = /_sum\b[^+*%^]*\/[^+*%^]*_count\b/;

/** Whether a query reads its values from the stores, by selection and aggregation alone. */
function isRead(query: string, value: Fact["value"]): boolean {
  const bare = query
    .replaceAll(/"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'|`[^`]*`/g, '""')
    .replaceAll(/\[[^\]]*\]|\{[^}]*\}/g, "");
  // A substitute for missing data is allowed unless it is the cited value.
  const filled = value === 0 ? bare : bare.replaceAll(/\bor\s+(on\s*\(\s*\)\s*)?vector\(0\)/g, "");
  if (MADE_UP.test(filled)) return false;
  return AVERAGE.test(query) || !/[-+*/%^]/.test(filled);
}

/**
 * The value per second, as a duration, or the minimum; undefined when the query measures something
 * else.
 */
function measured(
  as: NonNullable<AcceptedSignal["as"]>,
  fact: Fact,
  query: string | undefined,
): Fact["value"] | undefined {
  if (as === "least") return /^\s*min\b/.test(query ?? "") ? fact.value : undefined;
  // The comparison tool returns counters as rates and histograms as quantiles.
  if (query === undefined) return fact.value;
  if (as === "duration") {
    return query.includes("histogram_quantile(") || AVERAGE.test(query) ? fact.value : undefined;
  }
  if (typeof fact.value !== "number") return undefined;
  const increase = /\b(?:increase|delta)\s*\([^[]*\[(\d+)(ms|s|m|h)\]/.exec(query);
  if (increase !== null) return fact.value / secondsOf(Number(increase[1]), increase[2] ?? "s");
  return /\b(rate|irate|deriv)\s*\(/.test(query) ? fact.value : undefined;
}

function secondsOf(count: number, unit: string): number {
  const seconds: Readonly<Record<string, number>> = { ms: 0.001, s: 1, m: 60, h: 3600 };
  return count * (seconds[unit] ?? 1);
}

function compares(read: Fact["value"], holds: NonNullable<AcceptedSignal["holds"]>): boolean {
  const { op, value: wanted } = holds;
  if (op === "contains") return String(read).includes(String(wanted));
  if (typeof wanted === "string" || typeof read === "string") {
    if (op === "==") return String(read) === String(wanted);
    return op === "!=" && String(read) !== String(wanted);
  }
  return COMPARE[op](read, wanted);
}
