/**
 * Holds a hypothesis against telemetry: what its fault class entails is asked of the tools, claim by claim.
 *
 * A small model says yes to every claim that it is shown. So the model chooses, and this refutes.
 */
import {
  type Entailment,
  entailmentHolds,
  entailmentQuery,
  ENTAILMENTS,
} from "../../contract/entailments.ts";
import { FAULT_CLASS_NAMES, type FaultClass } from "../../contract/fault-classes.ts";
import type { ServiceName } from "../../contract/topology.ts";
import { shortNumber } from "./text.ts";
import type { Fact, Toolbox } from "./toolbox.ts";

export interface Hypothesis {
  /** Null when nothing is said to be wrong. */
  readonly service: ServiceName | null;
  readonly faultClass: FaultClass;
}

/** What the tools said to one claim. */
export interface Check {
  readonly entailment: Entailment;
  readonly outcome: "confirmed" | "refuted" | "open";
  readonly query: string;
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

async function checkOne(
  entailment: Entailment,
  service: ServiceName | null,
  tools: Toolbox,
): Promise<Check> {
  const query = entailmentQuery(entailment, service ?? ".+");
  const call = await tools.call("promql", { query });
  const fact = call.facts.find(({ value }) => Number.isFinite(Number(value)));
  const found = { entailment, query, callId: call.id };
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
    ENTAILMENTS[name].some(
      ({ promql, holds }) =>
        promql === entailment.promql && JSON.stringify(holds) === JSON.stringify(entailment.holds),
    ),
  );
  return sharing.length <= 2;
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
