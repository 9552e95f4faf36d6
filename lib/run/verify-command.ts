/** Proves every fault without an investigator, and every signature against every fault. */
import { createPrometheusClient } from "../base/prometheus.ts";
import { loadAllScenarios, loadScenario, type Scenario } from "../../scenarios/load.ts";
import { BUDGET } from "./campaign.ts";
import type { RunOptions } from "./command-line.ts";
import type { CommandContext } from "./context.ts";
import { type Incident, runIncident, urlsOf } from "./incident.ts";
import { mustNotLeak, sweep } from "./leaks.ts";
import { createProgress } from "./progress.ts";
import { readRules } from "./run-command.ts";
import { table } from "./table.ts";

/** Which signatures held while one fault was in force. */
interface Row {
  readonly fault: string;
  readonly holds: Readonly<Record<string, boolean>>;
}

export async function verify(
  context: CommandContext,
  names: readonly string[],
  options: RunOptions,
): Promise<number> {
  const all = await loadAllScenarios();
  const chosen =
    names.length === 0 ? all : await Promise.all(names.map((name) => loadScenario(name)));
  const columns = all.filter(({ control }) => !control);
  const rows: Row[] = [];
  const incidents: Incident[] = [];
  for (const scenario of chosen) {
    const lab = context.createLab({
      engine: options.engine,
      index: options.lab,
      lifetime: "with-caller",
    });
    const prometheus = createPrometheusClient(`http://localhost:${lab.ports.prometheus}`);
    const lookAt = async (fault: string): Promise<void> => {
      const looks = await Promise.all(
        columns.map(async ({ name, signature }) => {
          const { ok } = await signature.holds({ lab, prometheus });
          return [name, ok] as const;
        }),
      );
      rows.push({ fault, holds: Object.fromEntries(looks) });
    };
    incidents.push(
      await runIncident(scenario, {
        lab,
        rules: readRules(),
        investigators: [],
        budget: BUDGET,
        seed: 0,
        keepTelemetry: false,
        signal: context.signal,
        progress: (keep) => createProgress({ keep }),
        onHealthy: rows.some(({ fault }) => fault === "(healthy)")
          ? undefined
          : () => lookAt("(healthy)"),
        onFiring: async () => {
          await lookAt(scenario.name);
          mustNotLeak(await sweep(urlsOf(lab)), scenario);
        },
      }),
    );
  }
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
  const invalid = incidents.some(({ outcome }) => outcome.kind !== "valid");
  return invalid || wrong.length > 0 ? 2 : 0;
}

/** A signature must hold under its own fault and under no other. */
function mistakes({ fault, holds }: Row, columns: readonly Scenario[]): string[] {
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

const timesOf = ({ scenario, timeline, outcome }: Incident) => ({
  scenario: scenario.name,
  outcome,
  timeline,
});

function timesTable(incidents: readonly Incident[]): string {
  return table(
    ["scenario", "outcome", "inject→signature", "→firing", "heal→recovered"],
    incidents.map(({ scenario, timeline, outcome }) => {
      const at = (name: string): number | undefined =>
        timeline.find((event) => event.name === name)?.unixMs;
      const between = (from: string, to: string): string => {
        const [a, b] = [at(from), at(to)];
        return a === undefined || b === undefined ? "–" : `${((b - a) / 1000).toFixed(0)} s`;
      };
      return [
        scenario.name,
        outcome.kind === "environment-invalid"
          ? `invalid (${outcome.phase}): ${outcome.reason}`
          : outcome.kind,
        between("inject", "signature"),
        between("inject", "alert-firing"),
        between("heal", "recovered"),
      ];
    }),
  );
}
