/** Proves every fault without an investigator, and holds every signature against every fault. */
import { createPrometheusClient } from "../base/prometheus.ts";
import type { Lab } from "../lab/lab.ts";
import type { EventName } from "../score/run-record.ts";
import { loadAllScenarios, loadScenario, type Scenario } from "../../scenarios/load.ts";
import { BUDGET } from "../run/campaign.ts";
import type { VerifyOptions } from "./command-line.ts";
import type { CommandContext } from "../run/context.ts";
import { type Incident, runIncident, urlsOf } from "../run/incident.ts";
import { mustKeepSecret } from "../run/leaks.ts";
import { withOwnLabs } from "../run/own-labs.ts";
import { createProgress } from "../run/progress.ts";
import { exitCodeOfOutcomes, readRules } from "./run-command.ts";
import { table } from "./table.ts";

/** The row of the matrix in which no fault is in force. */
export const HEALTHY_ROW = "(healthy)";

/** Which signatures held while one fault was in force. */
export interface Row {
  readonly fault: string;
  readonly holds: Readonly<Record<string, boolean>>;
}

export async function verify(
  context: CommandContext,
  names: readonly string[],
  options: VerifyOptions,
): Promise<number> {
  const all = await loadAllScenarios();
  const chosen =
    names.length === 0 ? all : await Promise.all(names.map((name) => loadScenario(name)));
  const columns = all.filter(({ control }) => !control);
  const { engine, lab: first, parallel: count } = options;
  const { rows, incidents } = await withOwnLabs(context, { engine, first, count }, () =>
    proveAll(context, chosen, columns, options),
  );
  const matrix = rows.toSorted((a, b) => (a.fault < b.fault ? -1 : 1));
  const wrong = matrix.flatMap((row) => mistakes(row, columns));
  if (options.json) {
    context.print(JSON.stringify({ matrix, wrong, times: incidents.map(timesOf) }, null, 2));
  } else {
    context.print(matrixTable(matrix, columns));
    context.print("");
    context.print(timesTable(incidents));
    for (const line of wrong) context.print(line);
  }
  const exitCode = exitCodeOfOutcomes(incidents.map(({ outcome }) => outcome));
  return exitCode === 0 && wrong.length > 0 ? 2 : exitCode;
}

/** One incident after the other on each of the labs; the signatures are looked at while each fault's alert fires. */
async function proveAll(
  context: CommandContext,
  chosen: readonly Scenario[],
  columns: readonly Scenario[],
  { engine, lab: first, parallel }: VerifyOptions,
): Promise<{ rows: Row[]; incidents: Incident[] }> {
  const rows: Row[] = [];
  const incidents: Incident[] = [];
  const queue = [...chosen];
  let healthySeen = false;
  const proveOne = async (scenario: Scenario, index: number): Promise<void> => {
    const lab = context.createLab({ engine, index, lifetime: "with-caller" });
    const prefix = parallel > 1 ? `[${scenario.name}] ` : "";
    const lookFirst = !healthySeen;
    healthySeen = true;
    const incident = await runIncident(scenario, {
      lab,
      rules: readRules(),
      investigators: [],
      budget: BUDGET,
      seed: 0,
      keepTelemetry: false,
      signal: context.signal,
      progress: (keep) => createProgress({ prefix, keep }),
      onHealthy: lookFirst
        ? async () => void rows.push(await lookAt(HEALTHY_ROW, lab, columns))
        : undefined,
      onFiring: async () => {
        rows.push(await lookAt(scenario.name, lab, columns));
        await mustKeepSecret(urlsOf(lab), scenario);
      },
    });
    incidents.push(incident);
  };
  const worker = async (offset: number): Promise<void> => {
    for (let next = queue.shift(); next !== undefined; next = queue.shift()) {
      await proveOne(next, first + offset);
    }
  };
  await Promise.all(Array.from({ length: parallel }, (_, i) => worker(i)));
  return { rows, incidents };
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

/** A signature must hold under its own fault and under no other. */
export function mistakes({ fault, holds }: Row, columns: readonly { name: string }[]): string[] {
  return columns.flatMap(({ name }) => {
    const wanted = name === fault;
    if (holds[name] === wanted) return [];
    return [`wrong: the signature of ${name} ${wanted ? "does not hold" : "holds"} under ${fault}`];
  });
}

function matrixTable(rows: readonly Row[], columns: readonly Scenario[]): string {
  return table(
    ["fault in force", ...columns.map(({ name }) => name)],
    rows.map(({ fault, holds }) => [
      fault,
      ...columns.map(({ name }) => (holds[name] === true ? "true" : "–")),
    ]),
  );
}

/** Seconds from one event to another; null when one of them never came. */
function secondsBetween({ timeline }: Incident, from: EventName, to: EventName): number | null {
  const at = (name: EventName): number | undefined =>
    timeline.find((event) => event.name === name)?.unixMs;
  const [a, b] = [at(from), at(to)];
  return a === undefined || b === undefined ? null : Math.round((b - a) / 100) / 10;
}

/** What is measured of each incident: from the injection, and from the repair. */
const SPANS = [
  ["inject→signature", "inject", "signature"],
  ["inject→pending", "inject", "alert-pending"],
  ["inject→firing", "inject", "alert-firing"],
  ["heal→resolved", "heal", "alert-resolved"],
  ["heal→recovered", "heal", "recovered"],
] as const;

export function timesOf(incident: Incident) {
  const { scenario, outcome, timeline } = incident;
  const seconds = SPANS.map(([name, from, to]) => [name, secondsBetween(incident, from, to)]);
  return {
    scenario: scenario.name,
    outcome,
    seconds: Object.fromEntries(seconds) as Readonly<Record<string, number | null>>,
    timeline,
  };
}

function timesTable(incidents: readonly Incident[]): string {
  const header = ["scenario", "outcome", ...SPANS.map(([name]) => name)];
  const rows = incidents.map((incident) => {
    const { outcome } = incident;
    const { seconds } = timesOf(incident);
    return [
      incident.scenario.name,
      outcome.kind === "environment-invalid"
        ? `invalid (${outcome.phase}): ${outcome.reason}`
        : outcome.kind,
      ...SPANS.map(([name]) => {
        const value = seconds[name] ?? null;
        return value === null ? "–" : `${value.toFixed(0)} s`;
      }),
    ];
  });
  return table(header, rows);
}
