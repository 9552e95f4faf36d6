/** Builds manifest and score from an incident and one examination. */
import type { Answer, EvidenceRecord, NamedFault } from "../contract/answer.ts";
import type { TrueFault, Truth } from "../truth/truth.ts";
import { SCHEMA_VERSION, type Manifest, type Outcome, type Score } from "../score/run-record.ts";
import { score, scoreOfFailure, type ScoreTimes, scoreWithoutRecords } from "../score/score.ts";
import { fileNameOf } from "./artefacts.ts";
import type { Look } from "./examine.ts";
import type { Incident } from "./incident.ts";

export interface RunIdentity {
  readonly investigator: string;
  readonly repeat: number;
  /** Id of the frozen incident; null for a live run. */
  readonly incident: string | null;
  readonly seed: number;
  readonly engine: string;
  readonly isolation: Manifest["isolation"];
  /** Outcomes of the earlier attempts. */
  readonly earlier: readonly Outcome[];
  readonly versions: Readonly<Record<string, string>>;
}

/**
 * Builds the manifest of one run; without an examination, because the environment failed, there is
 * no score.
 */
export function manifestOf(
  incident: Incident,
  look: Look | undefined,
  identity: RunIdentity,
): Manifest {
  const { scenario, timeline, outcome } = incident;
  const started = timeline[0]?.unixMs ?? 0;
  const answer =
    look?.investigation.outcome.kind === "answered" ? look.investigation.outcome.answer : null;
  return {
    schema_version: SCHEMA_VERSION,
    run_id: `${scenario.name}-${fileNameOf(identity.investigator)}-${identity.repeat}-${started}`,
    scenario: scenario.name,
    title: scenario.title,
    control: scenario.control,
    investigator: identity.investigator,
    repeat: identity.repeat,
    incident: identity.incident,
    seed: identity.seed,
    engine: identity.engine,
    isolation: identity.isolation,
    started_unix_ms: started,
    attempts: identity.earlier.length + 1,
    earlier_attempts: identity.earlier.map(troubleOf),
    outcome,
    timeline: ownTimeline(incident, look),
    fault: { kind: scenario.fault.kind, parameters: { ...scenario.fault.parameters } },
    metric: {
      title: scenario.metric.title,
      query: scenario.metric.query,
      threshold: scenario.metric.threshold ?? null,
      points: incident.metricPoints.map(([at, value]): [number, number] => [at, value]),
    },
    diagnosis: answer === null ? null : inShort(answer.faults),
    truth: inShort(scenario.truth.faults),
    agent_failure:
      look?.investigation.outcome.kind === "agent-failure"
        ? look.investigation.outcome.reason
        : null,
    cost: look === undefined ? null : { ...look.investigation.cost },
    struck_citations: look?.investigation.struckCitations ?? 0,
    details: { ...look?.investigation.details },
    versions: { ...identity.versions },
    score: look === undefined ? null : scoreOf(incident, look),
    repair: look?.repair ?? null,
  };
}

const inShort = (
  faults: readonly (NamedFault | TrueFault)[],
): { culprit: NamedFault["culprit"]; fault_class: NamedFault["fault_class"] }[] =>
  faults.map(({ culprit, fault_class }) => ({ culprit, fault_class }));

const troubleOf = (outcome: Outcome): Manifest["earlier_attempts"][number] => {
  if (outcome.kind === "environment-invalid") {
    return { phase: outcome.phase, reason: outcome.reason };
  }
  return { phase: outcome.kind, reason: outcome.kind === "valid" ? "" : outcome.reason };
};

function scoreOf(incident: Incident, look: Look): Score {
  const { scenario, outcome } = incident;
  const { outcome: end, evidence } = look.investigation;
  const given =
    end.kind === "agent-failure"
      ? scoreOfFailure(scenario.truth, end.reason, end.confidence)
      : score(
          end.answer,
          scenario.truth,
          evidence,
          scoreTimes(scenario.control, ownTimeline(incident, look)),
        );
  return attributed(given, outcome);
}

/** In an invalid run, the environment or the harness caused the lost points. */
function attributed(given: Score, { kind }: Outcome): Score {
  if (kind === "valid") return given;
  return { ...given, attribution: kind === "harness-defect" ? "harness" : "environment" };
}

/**
 * The times for the score. Evidence counts from the last change before the investigation: the
 * injection, or the heal if that came first.
 */
export function scoreTimes(control: boolean, timeline: Manifest["timeline"]): ScoreTimes {
  const at = (name: string): number | undefined =>
    timeline.find((event) => event.name === name)?.unixMs;
  // A frozen incident is examined later, but as of the time of the freeze.
  const start = at("frozen") ?? at("investigation-start");
  const [inject = 0, heal] = [at("inject"), at("heal")];
  const healedFirst = heal !== undefined && start !== undefined && heal < start;
  return {
    injectedUnixMs: control ? null : (at("inject") ?? null),
    evidenceFromUnixMs: healedFirst ? heal : inject,
  };
}

/**
 * Returns the manifest with a new score; null when the stored files do not suffice. `evidence` is
 * null when the recorded calls were not stored: then the results of the citations come from the
 * earlier score.
 */
export function rescored(
  manifest: Manifest,
  truth: Truth,
  answer: Answer | null,
  evidence: readonly EvidenceRecord[] | null,
): Manifest | null {
  const { score: earlier, agent_failure } = manifest;
  if (earlier === null || (answer === null && agent_failure === null)) return null;
  const times = scoreTimes(manifest.control, manifest.timeline);
  const given =
    answer === null
      ? scoreOfFailure(truth, agent_failure ?? "no answer", earlier.confidence)
      : evidence === null
        ? scoreWithoutRecords(answer, truth, earlier, times)
        : score(answer, truth, evidence, times);
  return {
    ...manifest,
    truth: inShort(truth.faults),
    score: attributed(given, manifest.outcome),
  };
}

/** The events of the incident, with start and end of this examination. */
function ownTimeline({ timeline }: Incident, look: Look | undefined): Manifest["timeline"] {
  const shared = timeline.filter(({ name }) => !name.startsWith("investigation-"));
  // The time at which a frozen incident was examined says nothing about it.
  if (shared.some(({ name }) => name === "frozen")) {
    return shared.toSorted((a, b) => a.unixMs - b.unixMs);
  }
  const own: Manifest["timeline"] =
    look === undefined
      ? []
      : [
          { name: "investigation-start", unixMs: look.startUnixMs },
          { name: "investigation-end", unixMs: look.endUnixMs },
        ];
  return [...shared, ...own].toSorted((a, b) => a.unixMs - b.unixMs);
}
