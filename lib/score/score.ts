/**
 * Scores an answer against the ground truth. Pure and deterministic.
 *
 * One point for the right service, one for each expected piece of evidence that is cited and borne out by the
 * record, one for the right remediation; one or two off for a misattribution, one off for each invented source.
 */
import type { Answer, EvidenceRecord } from "../contract/answer.ts";
import { checkCitation, type Fact } from "../contract/citation.ts";
import {
  type AcceptedSignal,
  type ExpectedEvidence,
  maxPoints,
  type Truth,
} from "../contract/truth.ts";
import type { Score } from "./run-record.ts";

/** Invented sources cost at most this many points, so that one bad habit is not counted for ever. */
export const MOST_INVENTED = 3;

interface Item {
  readonly id: string;
  readonly points: number;
  readonly reason: string;
}

/** Scores `answer`; `injectedUnixMs` is null when nothing was injected. */
export function score(
  answer: Answer,
  truth: Truth,
  records: readonly EvidenceRecord[],
  injectedUnixMs: number | null,
): Score {
  const checks = answer.evidence.map((citation) => checkCitation(citation, records));
  const facts = checks.flatMap((check) => (check.grounded ? [check.fact] : []));
  const invented = checks.length - facts.length;
  const component = answer.culprit === truth.culprit;
  const faultClass = isAccepted(answer.fault_class, truth);
  const remediation =
    component &&
    truth.remediation.actions.includes(answer.remediation.action) &&
    answer.remediation.target === truth.remediation.target;
  const items: Item[] = [
    {
      id: "service",
      points: component ? 1 : 0,
      reason: `named ${answer.culprit ?? "no service"}; right is ${truth.culprit ?? "no service"}`,
    },
    ...truth.evidence.map((expected) => evidenceItem(expected, facts)),
    {
      id: "remediation",
      points: remediation ? 1 : 0,
      reason: `${answer.remediation.action} on ${answer.remediation.target ?? "nothing"}`,
    },
    ...misattributions(answer, truth),
    ...(invented === 0
      ? []
      : [
          {
            id: "invented-sources",
            points: -Math.min(invented, MOST_INVENTED),
            reason: `${invented} citation(s) that the record does not bear out`,
          },
        ]),
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
    mechanism: correct && truth.evidence.slice(0, 1).every((expected) => isShown(expected, facts)),
    remediation,
    onset_error_seconds: onsetError(answer, injectedUnixMs),
    grounded_citations: facts.length,
    invented_citations: invented,
    brier: (answer.confidence - (correct ? 1 : 0)) ** 2,
    confidence: answer.confidence,
    attribution: points < max ? "agent" : null,
  };
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

function evidenceItem(expected: ExpectedEvidence, facts: readonly Fact[]): Item {
  const shown = facts.find((fact) => shows(expected, fact));
  return {
    id: expected.id,
    points: shown === undefined ? 0 : 1,
    reason:
      shown === undefined
        ? `not cited: ${expected.describe}`
        : `${expected.describe}: ${shown.signal} = ${String(shown.value).slice(0, 80)}`,
  };
}

const isShown = (expected: ExpectedEvidence, facts: readonly Fact[]): boolean =>
  facts.some((fact) => shows(expected, fact));

function shows({ any_of, service }: ExpectedEvidence, fact: Fact): boolean {
  if (service !== undefined && fact.service !== service) return false;
  return any_of.some((accepted) => matches(accepted, fact));
}

function matches({ signal, labels = {}, holds }: AcceptedSignal, fact: Fact): boolean {
  if (fact.signal !== signal) return false;
  if (Object.entries(labels).some(([name, value]) => fact.labels[name] !== value)) return false;
  if (holds === undefined) return true;
  const [read, wanted] = [fact.value, holds.value];
  if (holds.op === "contains") return String(read).includes(String(wanted));
  if (typeof wanted === "string" || typeof read === "string") {
    return holds.op === "==" ? String(read) === String(wanted) : String(read) !== String(wanted);
  }
  switch (holds.op) {
    case "==":
      return read === wanted;
    case "!=":
      return read !== wanted;
    case "<":
      return read < wanted;
    case "<=":
      return read <= wanted;
    case ">":
      return read > wanted;
    case ">=":
      return read >= wanted;
  }
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
