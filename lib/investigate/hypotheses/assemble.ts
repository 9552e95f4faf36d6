/** Builds an answer from a diagnosis, its tests and a report. */
import type { Alert } from "../../contract/alert.ts";
import { type Answer, answerOf, type Citation, type NamedFault } from "../../contract/answer.ts";
import { FAULT_CLASSES, REMEDIATIONS, type Remediation } from "../../contract/fault-classes.ts";
import { downstreamOf, type ServiceName } from "../../contract/topology.ts";
import { FAULTS } from "../faults/registry.ts";
import { type Hypothesis, nameOf, refutationOf, type Verdict } from "./refute.ts";

const MAX_ALTERNATIVES = 8;

export interface Diagnosis {
  readonly hypothesis: Hypothesis;
  readonly onsetMs: number | null;
  readonly mechanism: string;
  readonly action: Remediation;
  readonly citations: readonly Citation[];
  readonly confidence: number;
  /** The other hypotheses that were tested, the strongest first. */
  readonly rivals: readonly Verdict[];
  /** Further faults with equal support. */
  readonly also?: readonly Hypothesis[];
  /** Text for the effect of the fault on a service downstream of the culprit. */
  readonly effectOn?: (service: ServiceName) => string;
}

/** The answer for a supported diagnosis. */
export function assembleAnswer(diagnosis: Diagnosis, alert: Alert): Answer {
  const { hypothesis, onsetMs, mechanism, action, citations, confidence, rivals } = diagnosis;
  const faults = [faultOf(hypothesis, action)];
  for (const other of diagnosis.also ?? []) faults.push(faultOf(other, actionFor(other)));
  return {
    faults: faults.flatMap((one) => one ?? []),
    mechanism: mechanism.slice(0, 2000),
    onset: onsetMs === null ? null : new Date(onsetMs).toISOString(),
    causal_chain: causalChain(diagnosis, alert),
    evidence: [...citations],
    confidence,
    alternatives: alternativesOf(rivals),
  };
}

/** The fault of a hypothesis; null for the hypothesis that nothing is wrong. */
function faultOf({ service, faultClass }: Hypothesis, action: Remediation): NamedFault | null {
  if (faultClass === "none") return null;
  const culprit = FAULTS[faultClass].culprit ?? service;
  const prose = `${REMEDIATIONS[action]}${culprit === null ? "" : ` (${culprit})`}`;
  const target = action === "no_action" ? null : culprit;
  return {
    culprit,
    fault_class: faultClass,
    remediation: { action, target, parameters: {}, prose },
  };
}

/** The answer of an agent without a diagnosis: valid, with the hypotheses that it ruled out. */
export function unsureAnswer(
  ruledOut: readonly Verdict[],
  service: ServiceName | null,
  citations: readonly Citation[],
  mechanism = ruledOut.length === 0
    ? "The evidence does not tell."
    : "Every diagnosis that was considered is refuted by telemetry.",
): Answer {
  return answerOf({
    culprit: service,
    fault_class: "unknown",
    mechanism: mechanism.slice(0, 2000),
    onset: null,
    causal_chain: [],
    evidence: [...citations],
    remediation: {
      action: "gather_more_evidence",
      target: service,
      parameters: {},
      prose: REMEDIATIONS.gather_more_evidence,
    },
    confidence: 0.05,
    alternatives: alternativesOf(ruledOut),
  });
}

function alternativesOf(rivals: readonly Verdict[]): Answer["alternatives"] {
  const seen = new Set<string>();
  const unique = rivals.filter(({ hypothesis }) => {
    const name = nameOf(hypothesis);
    return !seen.has(name) && seen.add(name);
  });
  return unique.slice(0, MAX_ALTERNATIVES).map((verdict) => ({
    service: verdict.hypothesis.service,
    fault_class: verdict.hypothesis.faultClass,
    ruled_out_by: (verdict.refuted
      ? refutationOf(verdict)
      : "fewer of its claims are confirmed"
    ).slice(0, 500),
  }));
}

/** The mechanism without a model's text: the class and the confirmed claims. */
export function plainMechanism(
  { service, faultClass }: Hypothesis,
  confirmed: readonly string[],
): string {
  const shown = confirmed.length === 0 ? "" : ` Confirmed: ${confirmed.join("; ")}.`;
  return `${service ?? "The system"}: ${FAULT_CLASSES[faultClass].definition}.${shown}`;
}

/** The action that the model named if it suits the class, else the class's first remedy. */
export function actionFor({ faultClass }: Hypothesis, named?: string): Remediation {
  const { remedies } = FAULT_CLASSES[faultClass];
  return remedies.find((remedy) => remedy === named) ?? remedies[0];
}

/**
 * The path from the culprit to the service of the alert, each service with the fault's effect on
 * it.
 */
function causalChain(
  { hypothesis, effectOn = () => "its input changed" }: Diagnosis,
  alert: Alert,
): Answer["causal_chain"] {
  if (hypothesis.service === null) return [];
  const path = pathBetween(hypothesis.service, alert.pipeline_name);
  return path.map((service, index) => ({
    service,
    effect: index === 0 ? FAULT_CLASSES[hypothesis.faultClass].definition : effectOn(service),
  }));
}

function pathBetween(from: ServiceName, to: ServiceName): ServiceName[] {
  const queue: ServiceName[][] = [[from]];
  const seen = new Set<ServiceName>([from]);
  for (let path = queue.shift(); path !== undefined; path = queue.shift()) {
    const last = path.at(-1) ?? from;
    if (last === to) return path;
    for (const next of downstreamOf(last)) {
      if (!seen.has(next)) queue.push([...path, next]);
      seen.add(next);
    }
  }
  // The culprit does not feed the service of the alert: use the nearest service that it feeds.
  const [next] = downstreamOf(from);
  return next === undefined ? [from] : [from, next];
}
