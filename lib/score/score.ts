/**
 * Scores an answer against the ground truth. Pure and deterministic.
 *
 * One point for the right service, one for each expected piece of evidence that the answer cites
 * and the record contains, one for the right remediation. A misattribution costs one or two points,
 * each invented citation one.
 */
import {
  type Answer,
  type Citation,
  describeFaults,
  type EvidenceRecord,
} from "../contract/answer.ts";
import { checkCitation, type Fact } from "../contract/citation.ts";
import { type ExpectedEvidence, maxPoints, type Truth } from "../truth/truth.ts";
import { brierOf } from "./calibration.ts";
import { diagnosisOf } from "./diagnosis.ts";
import { type CitedFact, findShown } from "./evidence.ts";
import type { Score } from "./run-record.ts";

/** Maximum number of points that invented citations cost. */
export const MAX_INVENTED = 3;

interface Item {
  readonly id: string;
  readonly points: number;
  readonly reason: string;
}

/** The times of an incident, Unix milliseconds. */
export interface ScoreTimes {
  /** Time of the injection; null when nothing is wrong and there is no onset. */
  readonly injectedUnixMs: number | null;
  /** Facts from before this time show nothing about the incident. */
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
  return assembled(answer, truth, injectedUnixMs, {
    items: truth.evidence.map((expected) =>
      evidenceItem(expected, findShown(expected, cited.flat(), evidenceFromUnixMs)),
    ),
    grounded,
    invented: citations.length - grounded,
  });
}

/**
 * Scores an answer without records of its calls: takes the results of its citations from the
 * earlier score, and computes the rest again.
 */
export function scoreWithoutRecords(
  answer: Answer,
  truth: Truth,
  earlier: Score,
  { injectedUnixMs }: ScoreTimes,
): Score {
  return assembled(answer, truth, injectedUnixMs, {
    items: truth.evidence.map(
      (expected) =>
        earlier.items.find(({ id }) => id === expected.id) ?? evidenceItem(expected, undefined),
    ),
    grounded: earlier.grounded_citations,
    invented: earlier.invented_citations,
  });
}

/** The result of checking an answer's citations. */
interface Cited {
  /** One item for each expected piece of evidence. */
  readonly items: readonly Item[];
  readonly grounded: number;
  readonly invented: number;
}

function assembled(
  answer: Answer,
  truth: Truth,
  injectedUnixMs: number | null,
  { items: evidence, grounded, invented }: Cited,
): Score {
  const diagnosis = diagnosisOf(answer, truth);
  const { component, correct, remediation } = diagnosis;
  const shown = evidence.map(({ points }) => points > 0);
  const items: Item[] = [
    { id: "service", points: Number(component), reason: serviceReason(answer, truth, component) },
    ...evidence,
    { id: "remediation", points: Number(remediation), reason: remedyReason(answer) },
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
    mechanism: correct && isMechanismShown(truth, shown),
    remediation,
    onset_error_seconds: onsetError(answer, injectedUnixMs),
    grounded_citations: grounded,
    invented_citations: invented,
    evidence_f1: evidenceF1(shown, grounded + invented),
    brier: brierOf({ confidence: answer.confidence, correct, names: !diagnosis.abstained }),
    confidence: answer.confidence,
    attribution: points < max ? "agent" : null,
  };
}

/** Whether every piece of evidence for the mechanism is shown. */
const isMechanismShown = ({ evidence }: Truth, shown: readonly boolean[]): boolean =>
  evidence.every(({ shows_mechanism }, i) => shows_mechanism !== true || shown[i] === true);

/**
 * Harmonic mean of recall and precision. Each shown piece needs one citation; further ones lower
 * the precision.
 */
function evidenceF1(shown: readonly boolean[], citations: number): number | null {
  if (shown.length === 0) return null;
  const found = shown.filter(Boolean).length;
  if (found === 0) return 0;
  const [recall, precision] = [found / shown.length, Math.min(1, found / citations)];
  return (2 * recall * precision) / (recall + precision);
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

/** The score of a run without an answer: wrong, with the stated confidence. */
export function scoreOfFailure(truth: Truth, reason: string, confidence?: number): Score {
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
    evidence_f1: truth.evidence.length === 0 ? null : 0,
    brier: brierOf({ confidence: confidence ?? 0, correct: false, names: true }),
    confidence: confidence ?? 0,
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

/** A wrong culprit and a wrong class each cost points, by the first matching rule. */
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
