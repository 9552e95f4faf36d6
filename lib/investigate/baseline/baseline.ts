/**
 * The baseline: no model, only general knowledge of faults compared with telemetry.
 *
 * It tests every fault class for every service by what the class entails (lib/investigate/faults/).
 * It drops the refuted ones and takes, of the others, the one with the most confirmed claims. It
 * knows fault classes and no scenarios. Every model has to beat it.
 */
import type { Answer } from "../../contract/answer.ts";
import { FAULT_CLASS_NAMES, FAULT_CLASSES } from "../../contract/fault-classes.ts";
import { downstreamOf, SERVICES, type ServiceName } from "../../contract/topology.ts";
import { finished } from "../floors.ts";
import type { InvestigationInput, Investigator } from "../investigator.ts";
import { citationsOfChecks, joinCitations } from "../hypotheses/citations.ts";
import { findOnset } from "../hypotheses/onset.ts";
import type { Toolbox } from "../toolbox.ts";
import { refutationOf, testHypothesis, type Verdict } from "../hypotheses/refute.ts";
import { toolboxOf, toolsetFor } from "../toolbox.ts";

const MAX_ALTERNATIVES = 6;
/** Share of a class's musts that must be confirmed. Not all: a service may lack a metric. */
const MIN_COVERAGE = 0.6;

export const baseline: Investigator = {
  name: "baseline",
  investigate: async (input) => {
    const startedMs = performance.now();
    const tools = toolboxOf(toolsetFor(input));
    const answer = await diagnose(input, tools);
    return finished(answer, tools.records, performance.now() - startedMs);
  },
};

/** Diagnoses with these tools. Exported for tests, which pass simulated tools. */
export async function diagnose(input: InvestigationInput, tools: Toolbox): Promise<Answer> {
  const { alert, transcript, signal } = input;
  transcript.phase("Reading alert", alert.title);
  transcript.phase("Loading integrations", Object.values(input.urls).join(", "));
  transcript.phase("Planning", "compare, then test every fault class for every service");
  transcript.phase("Gathering evidence");
  for (const [name, args] of [
    ["inventory", {}],
    ["alerts", {}],
    ["compare", { service: "all" }],
  ] as const) {
    const { id, facts, error } = await tools.call(name, args);
    transcript.note(`${id} ${name}: ${error ?? `${facts.length} facts`}`);
  }
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
  const answer = await answerFor(input, best, standing, verdicts, confidence, tools);
  transcript.phase(
    "Investigation complete",
    `${answer.culprit ?? "no service"}, ${answer.fault_class}`,
  );
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

async function answerFor(
  input: InvestigationInput,
  best: Verdict,
  standing: readonly Verdict[],
  verdicts: readonly Verdict[],
  confidence: number,
  tools: Toolbox,
): Promise<Answer> {
  const { service, faultClass } = best.hypothesis;
  const alertMs = Date.parse(input.alert.alerts[0]?.startsAt ?? "");
  const nowMs = tools.records.at(-1)?.asked_unix_ms ?? alertMs;
  const onset =
    service === null ? null : await findOnset(service, best.checks, alertMs, nowMs, tools);
  const evidence = joinCitations(citationsOfChecks(best.checks, tools.records));
  const rivals = [
    ...standing.slice(1),
    ...verdicts.filter(({ refuted, hypothesis }) => refuted && hypothesis.service === service),
  ];
  const [action] = FAULT_CLASSES[faultClass].remedies;
  return {
    culprit: service,
    fault_class: faultClass,
    mechanism: mechanismOf(best),
    onset: onset === null ? null : new Date(onset).toISOString(),
    causal_chain: service === null ? [] : chainFrom(service, best),
    evidence,
    remediation: {
      action,
      target: service,
      parameters: {},
      prose: `${action.replaceAll("_", " ")}${service === null ? "" : ` (${service})`}`,
    },
    confidence,
    alternatives: rivals.slice(0, MAX_ALTERNATIVES).map((verdict) => ({
      service: verdict.hypothesis.service,
      fault_class: verdict.hypothesis.faultClass,
      ruled_out_by: (verdict.refuted
        ? refutationOf(verdict)
        : "fewer of its claims are confirmed"
      ).slice(0, 500),
    })),
  };
}

function mechanismOf({ hypothesis, checks }: Verdict): string {
  const shown = checks
    .filter(({ outcome }) => outcome === "confirmed")
    .map(({ entailment }) => entailment.claim);
  const subject = hypothesis.service ?? "the system";
  return `${subject}: ${shown.length === 0 ? "nothing is shown to be wrong" : shown.join("; ")}.`;
}

/** The chain from the culprit to the services that it feeds. */
function chainFrom(service: ServiceName, best: Verdict): Answer["causal_chain"] {
  const cause = { service, effect: mechanismOf(best).slice(0, 500) };
  const next = downstreamOf(service).slice(0, 3);
  return [
    cause,
    ...next.map((name) => ({ service: name, effect: `gets its input from ${service}` })),
  ];
}
