/**
 * Scores an answer against the ground truth. Pure and deterministic.
 *
 * One point for the right service, one for each expected piece of evidence that is cited and borne out by the
 * record, one for the right remediation; one or two off for a misattribution, one off for each invented source.
 */
import type { Answer, Citation, EvidenceRecord } from "../contract/answer.ts";
import { checkCitation, type Fact } from "../contract/citation.ts";
import { type ExpectedEvidence, maxPoints, type Truth } from "../truth/truth.ts";
import { type CitedFact, findShown } from "./evidence.ts";
import type { Score } from "./run-record.ts";

/** Invented sources cost at most this many points, so that one bad habit is not counted for ever. */
export const MOST_INVENTED = 3;

interface Item {
  readonly id: string;
  readonly points: number;
  readonly reason: string;
}

/** The instants that an answer is held against, Unix milliseconds. */
export interface ScoreTimes {
  /** When the fault went in; null when nothing is wrong, so that there is no onset to tell. */
  readonly injectedUnixMs: number | null;
  /** What is from before it shows nothing of the incident. */
  readonly evidenceFromUnixMs: number;
}

/** Scores `answer` against `truth`. */
export function score(
  answer: Answer,
  truth: Truth,
  records: readonly EvidenceRecord[],
  { injectedUnixMs, evidenceFromUnixMs }: ScoreTimes,
): Score {
  const citations = distinct(answer.evidence);
  const cited = citations.map((citation) => factsCited(citation, records));
  const grounded = cited.filter((facts) => facts.length > 0).length;
  const invented = citations.length - grounded;
  const shown = truth.evidence.map((expected) =>
    findShown(expected, cited.flat(), evidenceFromUnixMs),
  );
  const component = isRightService(answer, truth);
  const faultClass = isAccepted(answer.fault_class, truth);
  const remediation =
    component &&
    truth.remediation.actions.includes(answer.remediation.action) &&
    answer.remediation.target === truth.remediation.target;
  const items: Item[] = [
    {
      id: "service",
      points: component ? 1 : 0,
      reason: serviceReason(answer, truth, component),
    },
    ...truth.evidence.map((expected, i) => evidenceItem(expected, shown[i])),
    {
      id: "remediation",
      points: remediation ? 1 : 0,
      reason: `${answer.remediation.action} on ${answer.remediation.target ?? "nothing"}`,
    },
    ...misattributions(answer, truth),
    ...inventedItem(invented),
  ];
  const points = items.reduce((sum, item) => sum + item.points, 0);
  const max = maxPoints(truth);
  const correct = component && faultClass;
  return {
    points,
    max,
    items,
    component,
    fault_class: faultClass,
    correct,
    mechanism: correct && (truth.evidence.length === 0 || shown[0] !== undefined),
    remediation,
    onset_error_seconds: onsetError(answer, injectedUnixMs),
    grounded_citations: grounded,
    invented_citations: invented,
    brier: (answer.confidence - (correct ? 1 : 0)) ** 2,
    confidence: answer.confidence,
    attribution: points < max ? "agent" : null,
  };
}

/** Citing the same thing again proves nothing more. */
function distinct(citations: readonly Citation[]): Citation[] {
  const keyOf = ({ call_id, signal, service, value }: Citation): string =>
    JSON.stringify([call_id, signal, service, value]);
  return [...new Map(citations.map((citation) => [keyOf(citation), citation])).values()];
}

function factsCited(citation: Citation, records: readonly EvidenceRecord[]): CitedFact[] {
  const record = records.find(({ id }) => id === citation.call_id);
  const check = checkCitation(citation, records);
  if (record === undefined || !check.grounded) return [];
  return [check.fact, ...check.others].map((fact) => ({ fact, record }));
}

/** That nothing is wrong has to be said: an answer that does not know names no service either. */
function isRightService({ culprit, fault_class }: Answer, truth: Truth): boolean {
  return culprit === truth.culprit && (culprit !== null || fault_class === "none");
}

function serviceReason({ culprit, fault_class }: Answer, truth: Truth, isRight: boolean): string {
  const said = `named ${culprit ?? "no service"}`;
  if (!isRight && culprit === truth.culprit) {
    return `${said}, but called it ${fault_class} and not that nothing is wrong`;
  }
  return `${said}; right is ${truth.culprit ?? "no service"}`;
}

function inventedItem(invented: number): Item[] {
  if (invented === 0) return [];
  return [
    {
      id: "invented-sources",
      points: -Math.min(invented, MOST_INVENTED),
      reason: `${invented} citation(s) that the record does not bear out`,
    },
  ];
}

/** The score of an investigator that handed in nothing: no points, and certain of nothing. */
export function scoreOfFailure(truth: Truth, reason: string): Score {
  return {
    points: 0,
    max: maxPoints(truth),
    items: [{ id: "no-answer", points: 0, reason }],
    component: false,
    fault_class: false,
    correct: false,
    mechanism: false,
    remediation: false,
    onset_error_seconds: null,
    grounded_citations: 0,
    invented_citations: 0,
    brier: 0,
    confidence: 0,
    attribution: "agent",
  };
}

function isAccepted(faultClass: Answer["fault_class"], truth: Truth): boolean {
  return (
    faultClass === truth.fault_class ||
    truth.also_accept.some((accepted) => accepted.fault_class === faultClass)
  );
}

function evidenceItem(expected: ExpectedEvidence, shown: Fact | undefined): Item {
  return {
    id: expected.id,
    points: shown === undefined ? 0 : 1,
    reason:
      shown === undefined
        ? `not cited: ${expected.describe}`
        : `${expected.describe}: ${shown.signal} = ${String(shown.value).slice(0, 80)}`,
  };
}

/** A wrong service and a wrong class are charged once each, by the first rule that fits. */
function misattributions(answer: Answer, truth: Truth): Item[] {
  const rules = truth.misattributions;
  const byService = rules.find(
    ({ culprit }) => culprit !== undefined && culprit === answer.culprit,
  );
  const byClass = rules.find(
    ({ fault_class }) => fault_class !== undefined && fault_class === answer.fault_class,
  );
  return [byService, byClass].flatMap((rule) =>
    rule === undefined
      ? []
      : [
          {
            id: `misattribution-${rule.culprit ?? rule.fault_class}`,
            points: rule.points,
            reason: rule.why,
          },
        ],
  );
}

function onsetError({ onset }: Answer, injectedUnixMs: number | null): number | null {
  if (onset === null || injectedUnixMs === null) return null;
  return Math.round((Date.parse(onset) - injectedUnixMs) / 100) / 10;
}
