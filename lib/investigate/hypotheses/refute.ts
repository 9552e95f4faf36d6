/**
 * Compares a hypothesis with telemetry: asks the tools for every claim that its fault class
 * entails.
 *
 * A small model agrees to every claim. Therefore the model only chooses, and the tools refute.
 */
import { FAULT_CLASS_NAMES, type FaultClass } from "../../contract/fault-classes.ts";
import { SERVICES, type ServiceName } from "../../contract/topology.ts";
import { ENTAILMENTS } from "../faults/registry.ts";
import { harmless, shortNumber } from "../harmless.ts";
import type { Fact, Toolbox } from "../toolbox.ts";
import { type Entailment, entailmentHolds, entailmentQuery, isSameClaim } from "./entailment.ts";

export interface Hypothesis {
  /** Null for the hypothesis that nothing is wrong. */
  readonly service: ServiceName | null;
  readonly faultClass: FaultClass;
}

/** The result of one claim. */
export interface Check {
  readonly entailment: Entailment;
  readonly outcome: "confirmed" | "refuted" | "open";
  readonly callId: string;
  /** The fact that the tool returned; undefined without one. */
  readonly fact?: Fact;
}

export interface Verdict {
  readonly hypothesis: Hypothesis;
  readonly checks: readonly Check[];
  readonly refuted: boolean;
  /** Share of the musts that are confirmed, 0 to 1. */
  readonly coverage: number;
  /** Whether a must is confirmed that at most one other class shares. */
  readonly specific: boolean;
}

/** Calls the tools for every claim that the hypothesis entails. */
export async function testHypothesis(hypothesis: Hypothesis, tools: Toolbox): Promise<Verdict> {
  const entailments = ENTAILMENTS[hypothesis.faultClass];
  const checks: Check[] = [];
  for (const entailment of entailments) {
    checks.push(await checkOne(entailment, hypothesis.service, tools));
  }
  const musts = checks.filter(({ entailment }) => entailment.weight === "must");
  const confirmed = musts.filter(({ outcome }) => outcome === "confirmed");
  return {
    hypothesis,
    checks,
    refuted: musts.some(({ outcome }) => outcome === "refuted"),
    coverage: confirmed.length / Math.max(1, musts.length),
    specific: confirmed.some(({ entailment }) => isSpecific(entailment)),
  };
}

/** Tests every class but the chosen one and `none` for the service. */
export async function testRivals(chosen: Hypothesis, tools: Toolbox): Promise<Verdict[]> {
  const verdicts: Verdict[] = [];
  for (const faultClass of FAULT_CLASS_NAMES) {
    if (faultClass === chosen.faultClass || faultClass === "none") continue;
    if (chosen.service === null) continue;
    verdicts.push(await testHypothesis({ service: chosen.service, faultClass }, tools));
  }
  return verdicts;
}

/** A claim about the whole system that one service breaks. */
export interface Anomaly {
  readonly claim: string;
  readonly service: ServiceName;
  readonly fact: Fact;
  readonly callId: string;
}

/** Finds the services that break a claim about a healthy system. */
export async function findAnomalies(tools: Toolbox): Promise<Anomaly[]> {
  const found: Anomaly[] = [];
  for (const { claim, culprits } of ENTAILMENTS.none) {
    if (culprits === undefined) continue;
    const call = await tools.call("promql", { query: culprits });
    for (const fact of call.facts) {
      const { service } = fact;
      if (service !== null) found.push({ claim, service, fact, callId: call.id });
    }
  }
  return found;
}

/** The text of an anomaly, with the value that was read. */
export function anomalyText({ claim, service, fact, callId }: Anomaly): string {
  return `"${claim}" is broken by ${service}: ${fact.signal} is ${harmless(fact.value)} (${callId})`;
}

/** The tests of the class for the other services, without those that refute it. */
export async function whereElse(
  { service: chosen, faultClass }: Hypothesis,
  tools: Toolbox,
): Promise<Verdict[]> {
  const verdicts: Verdict[] = [];
  for (const service of SERVICES) {
    if (service === chosen) continue;
    const verdict = await testHypothesis({ service, faultClass }, tools);
    if (!verdict.refuted) verdicts.push(verdict);
  }
  return verdicts;
}

async function checkOne(
  entailment: Entailment,
  service: ServiceName | null,
  tools: Toolbox,
): Promise<Check> {
  const query = entailmentQuery(entailment, service);
  const call = await tools.call("promql", { query });
  const fact = call.facts.find(({ value }) => Number.isFinite(Number(value)));
  const found = { entailment, callId: call.id };
  if (fact === undefined) {
    // A failed call leaves the claim open.
    const refutes = call.ok && entailment.noData === "refutes";
    return { ...found, outcome: refutes ? "refuted" : "open" };
  }
  const holds = entailmentHolds(entailment, Number(fact.value));
  const not = entailment.weight === "must" ? "refuted" : "open";
  return { ...found, fact, outcome: holds ? "confirmed" : not };
}

/** A claim that three or more classes share hardly distinguishes them. */
function isSpecific(entailment: Entailment): boolean {
  const sharing = FAULT_CLASS_NAMES.filter((name) =>
    ENTAILMENTS[name].some((other) => isSameClaim(other, entailment)),
  );
  return sharing.length <= 2;
}

/** The confirmed claims of a hypothesis, each with the call that confirmed it. */
export function confirmedClaims({ checks }: Verdict): string[] {
  return checks
    .filter(({ outcome }) => outcome === "confirmed")
    .map(({ entailment, callId }) => `${entailment.claim} (${callId})`);
}

/** The confirmed claims of a hypothesis with the values read, as text. */
export function supportOf({ checks }: Verdict): string {
  return checks
    .filter(({ outcome, fact }) => outcome === "confirmed" && fact !== undefined)
    .map(
      ({ entailment, fact, callId }) =>
        `${entailment.claim} (${entailment.signal} ${harmless(fact?.value ?? "")}, ${callId})`,
    )
    .join("; ");
}

/** The refuted claims of a hypothesis with the values read, as text. */
export function refutationOf({ hypothesis, checks }: Verdict): string {
  const against = checks
    .filter(({ outcome }) => outcome === "refuted")
    .map(({ entailment, fact, callId }) => {
      const seen = fact === undefined ? "nothing is recorded" : shortNumber(Number(fact.value));
      const { op, value } = entailment.holds;
      return `"${entailment.claim}" is false: ${entailment.signal} gives ${seen}, not ${op} ${shortNumber(value)} (${callId})`;
    });
  return `${nameOf(hypothesis)} is refuted: ${against.join("; ")}`;
}

/** The name of a hypothesis in a text. */
export function nameOf({ service, faultClass }: Hypothesis): string {
  return service === null ? faultClass : `${service} ${faultClass}`;
}
