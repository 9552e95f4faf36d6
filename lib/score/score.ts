/**
 * Scores an answer against the ground truth. Pure and deterministic.
 *
 * One point for the right service, one for each expected piece of evidence that the answer cites
 * and the record contains, one for the right remediation. A misattribution costs one or two points,
 * each invented source one.
 */
import {
  type Answer,
  type Citation,
  describeFaults,
  type EvidenceRecord,
} from "../contract/answer.ts";
import { checkCitation, type Fact } from "../contract/citation.ts";
import { type ExpectedEvidence, maxPoints, type Truth } from "../truth/truth.ts";
import { diagnosisOf } from "./diagnosis.ts";
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
  const diagnosis = diagnosisOf(answer, truth);
  const { component, correct, remediation } = diagnosis;
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
      reason: remedyReason(answer),
    },
    ...misattributions(answer, truth),
    ...inventedItem(invented),
  ];
  const points = items.reduce((sum, item) => sum + item.points, 0);
  const max = maxPoints(truth);
  return {
    points,
    max,
    items,
    diagnosis: diagnosis.share,
    abstained: diagnosis.abstained,
    component,
    fault_class: diagnosis.faultClass,
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

function serviceReason({ faults }: Answer, truth: Truth, isRight: boolean): string {
  const named = namesOf(faults);
  if (!isRight && named === namesOf(truth.faults)) {
    return `named ${named}, but answered "${describeFaults(faults)}" and not that nothing is wrong`;
  }
  return `named ${named}; right is ${namesOf(truth.faults)}`;
}

const namesOf = (faults: readonly { readonly culprit: string | null }[]): string =>
  faults.flatMap(({ culprit }) => (culprit === null ? [] : [culprit])).join(" and ") ||
  "no service";

const remedyReason = ({ faults }: Answer): string =>
  faults
    .map(({ remediation: { action, target } }) => `${action} on ${target ?? "nothing"}`)
    .join("; ") || "no action";

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
    diagnosis: 0,
    abstained: false,
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

/** A wrong culprit and a wrong class cost points once each, by the first rule that matches. */
function misattributions({ faults }: Answer, { misattributions: rules }: Truth): Item[] {
  const byService = rules.find(
    ({ culprit }) => culprit !== undefined && faults.some((fault) => fault.culprit === culprit),
  );
  const byClass = rules.find(
    ({ fault_class }) =>
      fault_class !== undefined && faults.some((fault) => fault.fault_class === fault_class),
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
