/**
 * The baseline: compares general knowledge of faults with telemetry, without a model.
 *
 * It tests every fault class for every service by the claims of the class
 * (lib/investigate/faults/), drops the refuted ones, and takes the one with the most confirmed
 * claims. It knows fault classes but no scenarios. An anomaly that no class explains gives
 * `unknown`.
 */
import { createPrng } from "../../base/prng.ts";
import { type Answer, describeFaults, MAX_FAULTS } from "../../contract/answer.ts";
import { FAULT_CLASS_NAMES } from "../../contract/fault-classes.ts";
import { SERVICES } from "../../contract/topology.ts";
import { FAULTS } from "../faults/registry.ts";
import { finished } from "../finished.ts";
import type { InvestigationInput, Investigator } from "../investigator.ts";
import { actionFor, assembleAnswer, plainMechanism, unsureAnswer } from "../hypotheses/assemble.ts";
import { citationsOfChecks, joinCitations } from "../hypotheses/citations.ts";
import { gather } from "../hypotheses/gather.ts";
import { findOnset } from "../hypotheses/onset.ts";
import {
  confirmedClaims,
  type Hypothesis,
  nameOf,
  testHypothesis,
  type Verdict,
} from "../hypotheses/refute.ts";
import { findOddities, firing, originOf } from "../hypotheses/unexplained.ts";
import { type Call, type Toolbox, toolboxOf, toolsetFor } from "../toolbox.ts";

/**
 * Minimum share of a class's musts that must be confirmed. Less than 1, because a service may lack
 * a metric.
 */
const MIN_COVERAGE = 0.6;

/** Every class for every service, or once if its culprit is no service. */
const HYPOTHESES = FAULT_CLASS_NAMES.filter((name) => name !== "none").flatMap(
  (faultClass): Hypothesis[] => {
    const places = FAULTS[faultClass].culprit === undefined ? SERVICES : [null];
    return places.map((service) => ({ service, faultClass }));
  },
);

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
  const calls = await gather(tools, transcript);
  const verdicts: Verdict[] = [];
  for (const hypothesis of HYPOTHESES) {
    signal?.throwIfAborted();
    verdicts.push(await testHypothesis(hypothesis, tools));
  }
  const standing = verdicts
    .filter((verdict) => isCandidate(verdict))
    .toSorted((a, b) => weightOf(b) - weightOf(a));
  for (const verdict of standing.slice(0, 5)) {
    const { service, faultClass } = verdict.hypothesis;
    transcript.note(`stands: ${service} ${faultClass}, weight ${weightOf(verdict).toFixed(2)}`);
  }
  const answer =
    standing.length > 0
      ? await nameBest(standing, verdicts, input, tools)
      : await withoutDiagnosis(calls, verdicts, input, tools);
  transcript.phase("Diagnosing", `confidence ${Math.round(answer.confidence * 100)}`);
  transcript.phase("Investigation complete", describeFaults(answer.faults));
  return answer;
}

/**
 * The answer when classes are supported. If several services have equal support, all are named,
 * because each has its own evidence; among several classes of one service the choice is random.
 */
async function nameBest(
  standing: readonly Verdict[],
  verdicts: readonly Verdict[],
  { alert, seed, transcript }: InvestigationInput,
  tools: Toolbox,
): Promise<Answer> {
  const tied = standing.filter((one) => isTie(one, standing[0]));
  const perService = [...new Set(tied.map(({ hypothesis }) => hypothesis.service))].map((name) =>
    oneOf(
      tied.filter(({ hypothesis }) => hypothesis.service === name),
      seed,
    ),
  );
  const [best, ...others] = inRandomOrder(perService, seed).slice(0, MAX_FAULTS);
  if (best === undefined) throw new RangeError("Cannot name a fault without a verdict");
  const { service } = best.hypothesis;
  const names = tied.map(({ hypothesis }) => nameOf(hypothesis)).toSorted();
  const said = names.length === 1 ? "" : ` Equally supported: ${names.join(", ")}.`;
  if (said !== "") transcript.note(`a tie:${said}`);
  const refuted = verdicts.filter((one) => one.refuted && one.hypothesis.service === service);
  const named = [best, ...others];
  const checks = named.flatMap((verdict) => verdict.checks);
  return assembleAnswer(
    {
      hypothesis: best.hypothesis,
      also: others.map(({ hypothesis }) => hypothesis),
      onsetMs: await findOnset(service, best.checks, alert, nowOf(tools), tools),
      mechanism: `${plainMechanism(best.hypothesis, confirmedClaims(best))}${said}`,
      action: actionFor(best.hypothesis),
      citations: joinCitations(citationsOfChecks(checks, tools.records)),
      confidence: confidenceOf(best, standing) / tied.length,
      rivals: [...standing.filter((one) => !named.includes(one)), ...refuted],
    },
    alert,
  );
}

/**
 * The answer when no class is supported: an anomaly without a class gives `unknown`, never "all is
 * well".
 */
async function withoutDiagnosis(
  calls: readonly Call[],
  verdicts: readonly Verdict[],
  { alert, transcript }: InvestigationInput,
  tools: Toolbox,
): Promise<Answer> {
  const healthy = await testHypothesis({ service: null, faultClass: "none" }, tools);
  const oddities = await findOddities(calls, tools);
  if (healthy.refuted || oddities.length > 0) {
    const origin = originOf(oddities);
    for (const { text } of oddities) transcript.note(`no class explains: ${text}`);
    const ofOrigin = verdicts.filter(({ hypothesis }) => hypothesis.service === origin);
    const seen = oddities.map(({ text }) => text).join("; ");
    return unsureAnswer(
      ofOrigin.filter(({ refuted }) => refuted),
      origin,
      joinCitations(oddities.map(({ citation }) => citation)),
      `No fault class explains what is out of order: ${seen || "a claim about a healthy system is broken"}.`,
    );
  }
  const alerting = firing(calls).length > 0;
  const still = alerting ? " The alert still fires, but nothing that was tested explains it." : "";
  return assembleAnswer(
    {
      hypothesis: healthy.hypothesis,
      onsetMs: null,
      mechanism: `${plainMechanism(healthy.hypothesis, confirmedClaims(healthy))}${still}`,
      action: actionFor(healthy.hypothesis),
      citations: joinCitations(citationsOfChecks(healthy.checks, tools.records)),
      confidence: Math.min(
        alerting ? MAX_CONFIDENCE_WHILE_ALERTING : 1,
        healthyConfidence(healthy),
      ),
      rivals: [],
    },
    alert,
  );
}

/** No fault was found although an alert fires, so a fault may have been missed. */
const MAX_CONFIDENCE_WHILE_ALERTING = 0.5;

const nowOf = ({ records }: Toolbox): number => records.at(-1)?.asked_unix_ms ?? 0;

const isTie = (one: Verdict, best: Verdict | undefined): boolean =>
  best !== undefined && Math.abs(weightOf(one) - weightOf(best)) < 1e-9;

/** Shuffled with the examination's seed, so that the order of the tests has no influence. */
function inRandomOrder(verdicts: readonly Verdict[], seed: number): Verdict[] {
  const prng = createPrng(seed).child("ties");
  return verdicts
    .toSorted((a, b) => (nameOf(a.hypothesis) < nameOf(b.hypothesis) ? -1 : 1))
    .map((verdict) => ({ verdict, at: prng.next() }))
    .toSorted((a, b) => a.at - b.at)
    .map(({ verdict }) => verdict);
}

function oneOf(verdicts: readonly Verdict[], seed: number): Verdict {
  const [first] = inRandomOrder(verdicts, seed);
  if (first === undefined) throw new RangeError("Cannot choose from nothing");
  return first;
}

/** A class without a confirmed claim of its own is never the first choice. */
function isCandidate({ refuted, specific, coverage }: Verdict): boolean {
  return !refuted && specific && coverage >= MIN_COVERAGE;
}

/** The share of confirmed musts, plus a small bonus for each confirmed claim. */
function weightOf({ checks, coverage }: Verdict): number {
  const confirmed = checks.filter(({ outcome }) => outcome === "confirmed").length;
  return coverage + confirmed / 10;
}

const healthyConfidence = ({ coverage }: Verdict): number => 0.6 + 0.3 * coverage;

function confidenceOf(best: Verdict, standing: readonly Verdict[]): number {
  const supports = best.checks.filter(({ entailment }) => entailment.weight === "supports");
  const shown = supports.filter(({ outcome }) => outcome === "confirmed").length;
  const support = supports.length === 0 ? 0.5 : shown / supports.length;
  const rivals = standing.length - 1;
  return Math.round((0.65 + 0.3 * support) * (rivals === 0 ? 1 : 0.85) * 100) / 100;
}
