/** Verifies every fault without an investigator, and tests every signature against every fault. */
import { createPrometheusClient } from "../base/prometheus.ts";
import type { AlertRule } from "../contract/alert-rules.ts";
import type { Lab } from "../lab/lab.ts";
import type { EventName, Outcome } from "../score/run-record.ts";
import { loadAllScenarios, loadScenario, type Scenario } from "../../scenarios/load.ts";
import type { RunContext } from "./context.ts";
import { type Incident, runIncident, urlsOf } from "./incident.ts";
import { BUDGET } from "./investigators.ts";
import type { TimelineEvent } from "./journal.ts";
import { type LabRange, type LabRequest, sideBySide, withOwnLabs } from "./labs.ts";
import { mustKeepSecret } from "./leaks.ts";
import { readRules } from "./rules.ts";

/** The row of the matrix without a fault. */
export const HEALTHY_ROW = "(healthy)";

/** The signatures that held during one fault. */
export interface Row {
  readonly fault: string;
  readonly holds: Readonly<Record<string, boolean>>;
}

/** Scenarios to verify (all if empty) and the labs to use in parallel. */
export interface VerifyRequest {
  readonly scenarios: readonly string[];
  readonly labs: LabRequest;
}

export interface Verification {
  /** The scenarios of the tested signatures. */
  readonly columns: readonly string[];
  readonly matrix: readonly Row[];
  /** Signatures that held or failed against expectation, one line each. */
  readonly wrong: readonly string[];
  readonly times: readonly Times[];
}

/** Verifies the scenarios in sequence on each of the labs. */
export async function verify(
  context: RunContext,
  { scenarios: names, labs }: VerifyRequest,
): Promise<Verification> {
  const all = await loadAllScenarios();
  const chosen =
    names.length === 0 ? all : await Promise.all(names.map((name) => loadScenario(name)));
  const columns = all.filter(({ control }) => !control);
  const { rows, incidents } = await withOwnLabs(context, labs, (own) =>
    proveAll(context, chosen, columns, own),
  );
  const matrix = rows.toSorted((a, b) => (a.fault < b.fault ? -1 : 1));
  return {
    columns: columns.map(({ name }) => name),
    matrix,
    wrong: matrix.flatMap((row) => mistakes(row, columns)),
    times: incidents.map(timesOf),
  };
}

/** Tests all signatures in the first healthy system and while each fault's alert fires. */
async function proveAll(
  context: RunContext,
  chosen: readonly Scenario[],
  columns: readonly Scenario[],
  labs: LabRange,
): Promise<{ rows: Row[]; incidents: Incident[] }> {
  const rows: Row[] = [];
  const incidents: Incident[] = [];
  const rules = readRules();
  const [first] = chosen;
  await sideBySide(labs, chosen, async (scenario, index) => {
    const lab = context.createLab({ engine: labs.engine, index, lifetime: "with-caller" });
    const incident = await proveIncident(context, scenario, {
      lab,
      rules,
      prefix: labs.count > 1 ? `[${scenario.name}] ` : "",
      onHealthy:
        scenario === first
          ? async () => void rows.push(await lookAt(HEALTHY_ROW, lab, columns))
          : undefined,
      onFiring: async () => void rows.push(await lookAt(scenario.name, lab, columns)),
    });
    incidents.push(incident);
  });
  return { rows, incidents };
}

export interface ProofOptions {
  readonly lab: Lab;
  readonly rules: readonly AlertRule[];
  /** Starts each line of the progress. */
  readonly prefix: string;
  readonly onHealthy?: (() => Promise<void>) | undefined;
  readonly onFiring: () => Promise<void>;
}

/**
 * Runs an incident that nobody examines; while its alert fires, telemetry must keep its secrets.
 */
export function proveIncident(
  context: RunContext,
  scenario: Scenario,
  { lab, rules, prefix, onHealthy, onFiring }: ProofOptions,
): Promise<Incident> {
  return runIncident(scenario, {
    lab,
    rules,
    investigators: [],
    budget: BUDGET,
    seed: 0,
    keepTelemetry: false,
    signal: context.signal,
    progress: context.progress(prefix),
    onHealthy,
    onFiring: async () => {
      await onFiring();
      await mustKeepSecret(urlsOf(lab), scenario);
    },
  });
}

async function lookAt(fault: string, lab: Lab, columns: readonly Scenario[]): Promise<Row> {
  const prometheus = createPrometheusClient(`http://localhost:${lab.ports.prometheus}`);
  const looks = await Promise.all(
    columns.map(async ({ name, signature }) => {
      const { ok } = await signature.holds({ lab, prometheus });
      return [name, ok] as const;
    }),
  );
  return { fault, holds: Object.fromEntries(looks) };
}

/** Checks that a signature holds under its own fault and no other. */
export function mistakes({ fault, holds }: Row, columns: readonly { name: string }[]): string[] {
  return columns.flatMap(({ name }) => {
    const wanted = name === fault;
    if (holds[name] === wanted) return [];
    return [`wrong: the signature of ${name} ${wanted ? "does not hold" : "holds"} under ${fault}`];
  });
}

/** Seconds between two events; null if one is missing. */
function secondsBetween({ timeline }: Incident, from: EventName, to: EventName): number | null {
  const at = (name: EventName): number | undefined =>
    timeline.find((event) => event.name === name)?.unixMs;
  const [a, b] = [at(from), at(to)];
  return a === undefined || b === undefined ? null : Math.round((b - a) / 100) / 10;
}

/** The measured intervals, from the injection and from the heal. */
export const SPANS = [
  ["inject→signature", "inject", "signature"],
  ["inject→pending", "inject", "alert-pending"],
  ["inject→firing", "inject", "alert-firing"],
  ["heal→resolved", "heal", "alert-resolved"],
  ["heal→recovered", "heal", "recovered"],
] as const;

export interface Times {
  readonly scenario: string;
  readonly outcome: Outcome;
  /** Seconds by interval; null if one of its events is missing. */
  readonly seconds: Readonly<Record<string, number | null>>;
  readonly timeline: readonly TimelineEvent[];
}

export function timesOf(incident: Incident): Times {
  const { scenario, outcome, timeline } = incident;
  const seconds = SPANS.map(([name, from, to]) => [name, secondsBetween(incident, from, to)]);
  return {
    scenario: scenario.name,
    outcome,
    seconds: Object.fromEntries(seconds) as Times["seconds"],
    timeline,
  };
}
