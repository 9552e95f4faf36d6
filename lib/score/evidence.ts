/**
 * Whether a cited fact shows a piece of evidence: of the incident and not of the time before it, about the right
 * service, measured the way the rubric means, and read rather than computed. Pure.
 *
 * An investigator writes its own queries, so that a record may well say `cms_x * 0 + 500`: such a citation is grounded, since
 * the record bears it out, but it shows nothing.
 */
import { COMPARE } from "../base/compare.ts";
import type { EvidenceRecord } from "../contract/answer.ts";
import type { Fact } from "../contract/citation.ts";
import type { AcceptedSignal, ExpectedEvidence } from "../truth/truth.ts";

/** A fact that the answer cites, and the call that it stands in. */
export interface CitedFact {
  readonly fact: Fact;
  readonly record: EvidenceRecord;
}

/** Clocks of a metric's scrape and of the lab's events may be so far apart. */
const CLOCK_SLACK_MS = 2000;

/** The cited fact that shows `expected`, of those from `sinceUnixMs` on; undefined when none does. */
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

/** A fact of `before` says what was usual; one with an instant is judged by it. */
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
    // An aggregation drops the label that it selected by.
    const selected = query?.includes(`${name}="${value}"`) ?? false;
    if (fact.labels[name] !== value && !selected) return false;
  }
  if (holds === undefined) return true;
  if (query !== undefined && !isRead(query, fact.value)) return false;
  const value = as === undefined ? fact.value : measured(as, fact, query);
  return value !== undefined && compares(value, holds);
}

/** A catalogue counts series under the metric's name. */
const isCount = ({ labels }: Fact): boolean => labels["meaning"] === "number of series";

/** The query of a call that was one; undefined for a tool that asks by itself, such as a comparison. */
function queryOf({ arguments: args }: EvidenceRecord): string | undefined {
  if (typeof args["query"] === "string") return args["query"];
  if (typeof args["path"] !== "string") return undefined;
  const search = new URLSearchParams(args["path"].split("?").slice(1).join("?"));
  return search.get("query") ?? search.get("q") ?? "";
}

/** Functions and words that put values, names or times into a result that were never measured so. */
const MADE_UP =
  /\b(bool|vector|scalar|time|label_replace|label_join|clamp|clamp_min|clamp_max|absent|absent_over_time|sgn|offset|line_format|label_format)\b|@/;
/** A histogram's average is its sum divided by its count. */
const AVERAGE = /_sum\b[^+*%^]*\/[^+*%^]*_count\b/;

/** Whether a query's values are read from the stores, by selection and aggregation alone. */
function isRead(query: string, value: Fact["value"]): boolean {
  const bare = query
    .replaceAll(/"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'|`[^`]*`/g, '""')
    .replaceAll(/\[[^\]]*\]|\{[^}]*\}/g, "");
  // What stands in for missing data is honest as long as it is not what was found.
  const filled = value === 0 ? bare : bare.replaceAll(/\bor\s+(on\s*\(\s*\)\s*)?vector\(0\)/g, "");
  if (MADE_UP.test(filled)) return false;
  return AVERAGE.test(query) || !/[-+*/%^]/.test(filled);
}

/** The value per second, as a duration, or the least of all; undefined when the query measured something else. */
function measured(
  as: NonNullable<AcceptedSignal["as"]>,
  fact: Fact,
  query: string | undefined,
): Fact["value"] | undefined {
  if (as === "least") return /^\s*min\b/.test(query ?? "") ? fact.value : undefined;
  // A comparison shows counters as rates and histograms as quantiles.
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
