/**
 * The baseline: no model, only general knowledge of faults compared with telemetry.
 *
 * It tests every fault class for every service by what the class entails (lib/investigate/faults/).
 * It drops the refuted ones and takes, of the others, the one with the most confirmed claims. It
 * knows fault classes and no scenarios. Every model has to beat it.
 */
import { type Answer, describeFaults } from "../../contract/answer.ts";
import { FAULT_CLASS_NAMES } from "../../contract/fault-classes.ts";
import { SERVICES } from "../../contract/topology.ts";
import { finished } from "../finished.ts";
import type { InvestigationInput, Investigator } from "../investigator.ts";
import { actionFor, assembleAnswer, plainMechanism } from "../hypotheses/assemble.ts";
import { citationsOfChecks, joinCitations } from "../hypotheses/citations.ts";
import { gather } from "../hypotheses/gather.ts";
import { findOnset } from "../hypotheses/onset.ts";
import type { Toolbox } from "../toolbox.ts";
import { confirmedClaims, testHypothesis, type Verdict } from "../hypotheses/refute.ts";
import { toolboxOf, toolsetFor } from "../toolbox.ts";

/** Share of a class's musts that must be confirmed. Not all: a service may lack a metric. */
const MIN_COVERAGE = 0.6;

export const baseline: Investigator = {
  name: "baseline",
  investigate: async (input) => {
    const startedMs = performance.now();
    const tools = toolboxOf(toolsetFor(input));
    const answer = await diagnose(input, tools);
    return finished({
      answer,
      evidence: tools.records,
      wallMs: performance.now() - startedMs,
    });
  },
};

/** Diagnoses with these tools. Exported for tests, which pass simulated tools. */
export async function diagnose(input: InvestigationInput, tools: Toolbox): Promise<Answer> {
  const { alert, transcript, signal } = input;
  transcript.phase("Reading alert", alert.title);
  transcript.phase("Loading integrations", Object.values(input.urls).join(", "));
  transcript.phase("Planning", "compare, then test every fault class for every service");
  transcript.phase("Gathering evidence");
  await gather(tools, transcript);
  const verdicts: Verdict[] = [];
  for (const service of SERVICES) {
    for (const faultClass of FAULT_CLASS_NAMES) {
      signal?.throwIfAborted();
      if (faultClass !== "none")
        verdicts.push(await testHypothesis({ service, faultClass }, tools));
    }
  }
  const standing = verdicts
    .filter((verdict) => isCandidate(verdict))
    .toSorted((a, b) => weightOf(b) - weightOf(a));
  for (const verdict of standing.slice(0, 5)) {
    const { service, faultClass } = verdict.hypothesis;
    transcript.note(`stands: ${service} ${faultClass}, weight ${weightOf(verdict).toFixed(2)}`);
  }
  const healthy = await testHypothesis({ service: null, faultClass: "none" }, tools);
  const best = standing[0] ?? healthy;
  const confidence = confidenceOf(best, standing);
  transcript.phase("Diagnosing", `confidence ${Math.round(confidence * 100)}`);
  const { service } = best.hypothesis;
  const refuted = verdicts.filter((one) => one.refuted && one.hypothesis.service === service);
  const nowMs = tools.records.at(-1)?.asked_unix_ms ?? 0;
  const answer = assembleAnswer(
    {
      hypothesis: best.hypothesis,
      onsetMs: await findOnset(service, best.checks, alert, nowMs, tools),
      mechanism: plainMechanism(best.hypothesis, confirmedClaims(best)),
      action: actionFor(best.hypothesis),
      citations: joinCitations(citationsOfChecks(best.checks, tools.records)),
      confidence,
      rivals: [...standing.slice(1), ...refuted],
    },
    alert,
  );
  transcript.phase("Investigation complete", describeFaults(answer.faults));
  return answer;
}

/** A class for which no claim of its own is confirmed is never the first choice. */
function isCandidate({ refuted, specific, coverage }: Verdict): boolean {
  return !refuted && specific && coverage >= MIN_COVERAGE;
}

/** The share of confirmed musts, and a little for each confirmed claim. */
function weightOf({ checks, coverage }: Verdict): number {
  const confirmed = checks.filter(({ outcome }) => outcome === "confirmed").length;
  return coverage + confirmed / 10;
}

function confidenceOf(best: Verdict, standing: readonly Verdict[]): number {
  if (best.refuted) return 0.2;
  if (best.hypothesis.faultClass === "none") return 0.6 + 0.3 * best.coverage;
  const supports = best.checks.filter(({ entailment }) => entailment.weight === "supports");
  const shown = supports.filter(({ outcome }) => outcome === "confirmed").length;
  const support = supports.length === 0 ? 0.5 : shown / supports.length;
  const rivals = standing.length - 1;
  return Math.round((0.65 + 0.3 * support) * (rivals === 0 ? 1 : 0.85) * 100) / 100;
}
