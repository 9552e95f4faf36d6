/**
 * Decides whether a cited fact shows a piece of evidence: it must be from the incident, about the
 * right service, measured as the rubric demands, and read, not computed. Pure.
 *
 * Investigators write their own queries. A citation of `cms_x * 0 + 500` is grounded, because the
 * record contains the value, but it shows nothing. `reading.ts` has the rules.
 */
import { COMPARE } from "../base/compare.ts";
import type { EvidenceRecord } from "../contract/answer.ts";
import type { Fact } from "../contract/citation.ts";
import { SERVICES, TOPOLOGY } from "../contract/topology.ts";
import type { AcceptedSignal, ExpectedEvidence } from "../truth/truth.ts";
import { type Reading, readingsOf, type SeriesReading, undone } from "./reading.ts";

/** A fact that the answer cites, and the call that returned it. */
export interface CitedFact {
  readonly fact: Fact;
  readonly record: EvidenceRecord;
}

/** Maximum difference between the clock of a scrape and the lab's clock. */
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

/** A fact from before the alert never counts; a fact with a time must be recent enough. */
function isFrom({ when }: Fact, sinceUnixMs: number): boolean {
  if (when === "before") return false;
  const at = Date.parse(when);
  return Number.isNaN(at) || at >= sinceUnixMs - CLOCK_SLACK_MS;
}

function matches(accepted: AcceptedSignal, fact: Fact, record: EvidenceRecord): boolean {
  if (fact.signal !== accepted.signal || isCount(fact)) return false;
  const query = queryOf(record);
  if (query === undefined) return showsPlain(accepted, fact);
  if (!isPromQL(record)) return showsLogs(accepted, fact, query);
  const readings = readingsOf(query);
  return readings !== undefined && showsReading(accepted, fact, readings);
}

/** The catalogue tool returns the number of series under the name of the metric. */
const isCount = ({ labels }: Fact): boolean => labels["meaning"] === "number of series";

/** The query of a call; undefined for a tool without one, such as `compare`. */
function queryOf({ arguments: args }: EvidenceRecord): string | undefined {
  if (typeof args["query"] === "string") return args["query"];
  if (typeof args["path"] !== "string") return undefined;
  const search = new URLSearchParams(args["path"].split("?").slice(1).join("?"));
  return search.get("query") ?? search.get("q") ?? "";
}

/** Either a tool of the project, or Prometheus' API below Grafana's proxy. */
function isPromQL({ tool, arguments: args }: EvidenceRecord): boolean {
  if (typeof args["path"] !== "string") return tool === "promql";
  return /\/api\/v1\/query/.test(args["path"]) && !args["path"].includes("/loki/");
}

/**
 * A fact of a tool with fixed queries. `compare` returns counters as rates and histograms as
 * quantiles.
 */
function showsPlain(accepted: AcceptedSignal, { labels, value, signal }: Fact): boolean {
  const { as, holds, labels: wanted = {} } = accepted;
  if (Object.entries(wanted).some(([name, each]) => labels[name] !== each)) return false;
  if (as === "least" || as === "count") return false;
  if (as === "rate" && !signal.endsWith("_total")) return false;
  return holds === undefined || compares(value, holds);
}

/** Words of a log query that insert values into lines, or compute with its numbers. */
const WRITTEN = /\b(line_format|label_format|vector|bool|offset)\b|[-+*/%^]/;

function showsLogs({ labels = {}, holds, as }: AcceptedSignal, fact: Fact, query: string): boolean {
  const isSelected = ([name, value]: [string, string]): boolean =>
    fact.labels[name] === value || query.includes(`${name}="${value}"`);
  if (!Object.entries(labels).every(isSelected) || as !== undefined) return false;
  const bare = query
    .replaceAll(/"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'|`[^`]*`/g, '""')
    .replaceAll(/\[[^\]]*\]|\{[^}]*\}/g, "");
  return !WRITTEN.test(bare) && (holds === undefined || compares(fact.value, holds));
}

/** Every reading that the value may have must show the evidence. */
function showsReading(accepted: AcceptedSignal, fact: Fact, readings: readonly Reading[]): boolean {
  const value = Number(fact.value);
  const series = readings.flatMap((each) => (each.kind === "series" ? [each] : []));
  // Prometheus returns nothing for a count of an empty selection; `count(…) or vector(0)` returns 0
  // for it.
  const isEmptyCount = value === 0 && series.every(({ measure }) => measure === "count");
  const mayBeConstant = readings.some((each) => each.kind === "constant" && each.value === value);
  if (series.length === 0 || (mayBeConstant && !isEmptyCount)) return false;
  return series.every(
    (reading) =>
      isOf(reading, accepted.signal) &&
      isAbout(reading, fact) &&
      isLabelled(accepted, reading, fact) &&
      isMet(accepted, reading, value),
  );
}

const isOf = ({ metric, measure }: SeriesReading, signal: string): boolean =>
  metric === null ? measure === "value" : metric.replace(/_(bucket|sum|count)$/, "") === signal;

/**
 * If the value has no label for the service, its service comes from the query; then a matcher must
 * name it.
 */
function isAbout({ matchers }: SeriesReading, { service, labels }: Fact): boolean {
  const named = SERVICES.find((name) => name === service);
  if (named === undefined) return service === null;
  const isNamed = (value: string): boolean =>
    value === named || value.startsWith(`${named}:`) || value === TOPOLOGY[named].sensorId;
  return Object.values(labels).some(isNamed) || matchers.some(({ value }) => isNamed(value));
}

/**
 * The labels are in the result or in the selector. A count refers to exactly the selected series.
 */
function isLabelled(
  { labels = {}, as }: AcceptedSignal,
  { matchers }: SeriesReading,
  fact: Fact,
): boolean {
  if (as === "count") {
    return matchers.every(({ label, op, value }) => op === "=" && labels[label] === value);
  }
  return Object.entries(labels).every(
    ([name, value]) =>
      fact.labels[name] === value ||
      matchers.some((matcher) => matcher.label === name && matcher.value === value),
  );
}

/** Whether the value, measured as the rubric demands, meets its condition. */
function isMet({ as, holds }: AcceptedSignal, reading: SeriesReading, value: number): boolean {
  const read = measured(as, reading, undone(reading, value), holds);
  return read !== undefined && (holds === undefined || compares(read, holds));
}

function measured(
  as: AcceptedSignal["as"],
  { measure, seconds, least }: SeriesReading,
  value: number,
  holds: AcceptedSignal["holds"],
): number | undefined {
  if (as === "rate") {
    if (measure === "increase") return value / seconds;
    return measure === "rate" ? value : undefined;
  }
  if (as === "least") return least && measure === "value" ? value : undefined;
  if (as !== undefined) return measure === as ? value : undefined;
  // Growth of a counter also shows that it is above 0.
  const isEvent = holds === undefined || (holds.op === ">" && holds.value === 0);
  const isGrowth = measure === "rate" || measure === "increase";
  return measure === "value" || (isEvent && isGrowth) ? value : undefined;
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
