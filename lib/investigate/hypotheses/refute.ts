/**
 * Holds a hypothesis against telemetry: what its fault class entails is asked of the tools, claim by claim.
 *
 * A small model says yes to every claim that it is shown. So the model chooses, and this refutes.
 */
import { FAULT_CLASS_NAMES, type FaultClass } from "../../contract/fault-classes.ts";
import { SERVICES, type ServiceName } from "../../contract/topology.ts";
import { ENTAILMENTS } from "../faults/registry.ts";
import { harmless, shortNumber } from "../harmless.ts";
import type { Fact, Toolbox } from "../toolbox.ts";
import { type Entailment, entailmentHolds, entailmentQuery, isSameClaim } from "./entailment.ts";

export interface Hypothesis {
  /** Null when nothing is said to be wrong. */
  readonly service: ServiceName | null;
  readonly faultClass: FaultClass;
}

/** What the tools said to one claim. */
export interface Check {
  readonly entailment: Entailment;
  readonly outcome: "confirmed" | "refuted" | "open";
  readonly callId: string;
  /** As the tool returned it; undefined when it returned nothing. */
  readonly fact?: Fact;
}

export interface Verdict {
  readonly hypothesis: Hypothesis;
  readonly checks: readonly Check[];
  readonly refuted: boolean;
  /** Share of the musts that are confirmed, 0 to 1. */
  readonly coverage: number;
  /** Whether a must of this class alone is confirmed, not only what most classes entail as well. */
  readonly specific: boolean;
}

/** Asks the tools for everything that the hypothesis entails. */
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

/** Tests every class for the service and returns the verdicts, the given one excepted. */
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

/** Asks the tools who breaks what a system in which nothing is wrong entails. */
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

/** An anomaly in words, with the value read. */
export function anomalyText({ claim, service, fact, callId }: Anomaly): string {
  return `"${claim}" is broken by ${service}: ${fact.signal} is ${harmless(fact.value)} (${callId})`;
}

/** The services other than `chosen` of which everything that the class entails is confirmed, and it says more than most classes do. */
export async function whereElse(
  { service: chosen, faultClass }: Hypothesis,
  tools: Toolbox,
): Promise<Verdict[]> {
  const verdicts: Verdict[] = [];
  for (const service of SERVICES) {
    if (service === chosen) continue;
    const verdict = await testHypothesis({ service, faultClass }, tools);
    if (!verdict.refuted && verdict.specific) verdicts.push(verdict);
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
    // A call that failed says nothing about the system.
    const refutes = call.ok && entailment.noData === "refutes";
    return { ...found, outcome: refutes ? "refuted" : "open" };
  }
  const holds = entailmentHolds(entailment, Number(fact.value));
  const not = entailment.weight === "must" ? "refuted" : "open";
  return { ...found, fact, outcome: holds ? "confirmed" : not };
}

/** Claims that three classes or more entail tell little about which of them it is. */
function isSpecific(entailment: Entailment): boolean {
  const sharing = FAULT_CLASS_NAMES.filter((name) =>
    ENTAILMENTS[name].some((other) => isSameClaim(other, entailment)),
  );
  return sharing.length <= 2;
}

/** What speaks for a hypothesis, for a model and for people: claim by claim with the value read. */
export function supportOf({ checks }: Verdict): string {
  return checks
    .filter(({ outcome, fact }) => outcome === "confirmed" && fact !== undefined)
    .map(
      ({ entailment, fact, callId }) =>
        `${entailment.claim} (${entailment.signal} ${harmless(fact?.value ?? "")}, ${callId})`,
    )
    .join("; ");
}

/** What refuted a hypothesis, for a model and for people: claim by claim with the value read. */
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

/** A hypothesis in words. */
export function nameOf({ service, faultClass }: Hypothesis): string {
  return service === null ? faultClass : `${service} ${faultClass}`;
}
