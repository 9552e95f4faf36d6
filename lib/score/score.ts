/**
 * Scores an answer against the ground truth. Pure and deterministic.
 *
 * One point for the right service, one for each expected piece of evidence that the answer cites
 * and the record contains, one for the right remediation. A misattribution costs one or two points,
 * each invented source one.
 */
import type { Answer, Citation, EvidenceRecord } from "../contract/answer.ts";
import { checkCitation, type Fact } from "../contract/citation.ts";
import { type ExpectedEvidence, maxPoints, type Truth } from "../truth/truth.ts";
import { type CitedFact, findShown } from "./evidence.ts";
import type { Score } from "./run-record.ts";

/** Maximum number of points that invented sources cost. */
export const MAX_INVENTED = 3;

interface Item {
  readonly id: string;
  readonly points: number;
  readonly reason: string;
}

/** The times that an answer is compared with, Unix milliseconds. */
export interface ScoreTimes {
  /** Time of the injection; null when nothing is wrong, so that there is no onset. */
  readonly injectedUnixMs: number | null;
  /** Earlier facts show nothing of the incident. */
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

/** A repeated citation counts once. */
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

/** A control needs the class `none`: an answer that knows nothing names no service either. */
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
      points: -Math.min(invented, MAX_INVENTED),
      reason: `${invented} citation(s) that the record does not bear out`,
    },
  ];
}

/** The score of a run without an answer: no points and confidence 0. */
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

/** A wrong service and a wrong class cost points once each, by the first rule that matches. */
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
