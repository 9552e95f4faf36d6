/** Turns an incident and one investigator's look at it into what is kept and what is scored. */
import { SCHEMA_VERSION, type Manifest, type Score } from "../score/run-record.ts";
import { score, scoreOfFailure } from "../score/score.ts";
import { fileNameOf } from "./artefacts.ts";
import type { Incident, Look } from "./incident.ts";

export interface RunIdentity {
  readonly investigator: string;
  readonly repeat: number;
  readonly seed: number;
  readonly engine: string;
  readonly isolation: Manifest["isolation"];
  readonly attempts: number;
  readonly versions: Readonly<Record<string, string>>;
}

/** The manifest of one run; without a look (the environment failed before) there is no score. */
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
    seed: identity.seed,
    engine: identity.engine,
    isolation: identity.isolation,
    started_unix_ms: started,
    attempts: identity.attempts,
    outcome,
    timeline: ownTimeline(incident, look),
    fault: { kind: scenario.fault.kind, parameters: { ...scenario.fault.parameters } },
    metric: {
      title: scenario.metric.title,
      query: scenario.metric.query,
      threshold: scenario.metric.threshold ?? null,
      points: incident.metricPoints.map(([at, value]): [number, number] => [at, value]),
    },
    diagnosis:
      answer === null ? null : { culprit: answer.culprit, fault_class: answer.fault_class },
    truth: { culprit: scenario.truth.culprit, fault_class: scenario.truth.fault_class },
    agent_failure:
      look?.investigation.outcome.kind === "agent-failure"
        ? look.investigation.outcome.reason
        : null,
    cost: look === undefined ? null : { ...look.investigation.cost },
    struck_citations: look?.investigation.struckCitations ?? 0,
    details: { ...look?.investigation.details },
    versions: { ...identity.versions },
    score: look === undefined ? null : scoreOf(incident, look),
  };
}

function scoreOf({ scenario, timeline }: Incident, { investigation }: Look): Score {
  if (investigation.outcome.kind === "agent-failure") {
    return scoreOfFailure(scenario.truth, investigation.outcome.reason);
  }
  const injected = scenario.control
    ? null
    : (timeline.find(({ name }) => name === "inject")?.unixMs ?? null);
  return score(investigation.outcome.answer, scenario.truth, investigation.evidence, injected);
}

/** The incident's events, with this investigator's own start and end. */
function ownTimeline({ timeline }: Incident, look: Look | undefined): Manifest["timeline"] {
  const shared = timeline.filter(({ name }) => !name.startsWith("investigation-"));
  const own: Manifest["timeline"] =
    look === undefined
      ? []
      : [
          { name: "investigation-start", unixMs: look.startUnixMs },
          { name: "investigation-end", unixMs: look.endUnixMs },
        ];
  return [...shared, ...own].toSorted((a, b) => a.unixMs - b.unixMs);
}
