/**
 * Tables of the effects of remedies: by floor, and every action on every fault. Uses only kept
 * executions.
 */
import { isServiceName } from "../../contract/topology.ts";
import type { Remediation } from "../../contract/fault-classes.ts";
import { findScenario, type Scenario } from "../../../scenarios/load.ts";
import { writeText } from "../artefacts.ts";
import type { Execution } from "./execution.ts";
import { changesAnything } from "./plan.ts";
import { type Act, keyOfActs } from "./read-remedy.ts";
import { actsOfFloor, actsOfMatrix, fits, FLOORS, MATRIX_ACTIONS } from "./wanted.ts";

/**
 * The effect of an action: it repaired, did not repair or changed nothing; null if not executed.
 */
export type Effect = "repaired" | "not repaired" | "nothing to change" | null;

export interface RemedyRow {
  readonly name: string;
  /** By scenario. */
  readonly effects: Readonly<Record<string, Effect>>;
}

export interface RemedyTables {
  readonly scenarios: readonly string[];
  readonly floors: readonly RemedyRow[];
  readonly matrix: readonly RemedyRow[];
  /** Actions that repaired a fault that they do not fit, one line each. */
  readonly unfit: readonly string[];
}

export async function tablesOf(executions: readonly Execution[]): Promise<RemedyTables> {
  const names = [...new Set(executions.map(({ scenario }) => scenario))].toSorted();
  const found = await Promise.all(names.map(findScenario));
  const scenarios = found.filter((scenario) => scenario !== undefined);
  const rowOf = (name: string, effectIn: (scenario: Scenario) => Effect): RemedyRow => ({
    name,
    effects: Object.fromEntries(scenarios.map((scenario) => [scenario.name, effectIn(scenario)])),
  });
  const floors = FLOORS.map((floor) =>
    rowOf(floor, (scenario) => effectOf(executions, scenario, actsOfFloor(floor, scenario))),
  );
  const matrix = MATRIX_ACTIONS.map((action) =>
    rowOf(action, (scenario) => {
      const acts = actsOfMatrix(action, scenario);
      // Such as a corrected setting where the fault set none.
      return acts.length === 0 ? "nothing to change" : effectOf(executions, scenario, acts);
    }),
  );
  return {
    scenarios: scenarios.map(({ name }) => name),
    floors,
    matrix,
    unfit: unfitIn(matrix, scenarios),
  };
}

function effectOf(
  executions: readonly Execution[],
  { name, fault }: Scenario,
  acts: readonly Act[],
): Effect {
  const own = executions.filter((one) => one.scenario === name);
  const untouched = own.find(({ key }) => key === keyOfActs([]));
  if (
    acts.length > 0 &&
    untouched !== undefined &&
    !changesAnything(acts, untouched.before, fault)
  ) {
    return "nothing to change";
  }
  const results = own.filter(({ key }) => key === keyOfActs(acts));
  if (results.length === 0) return null;
  return results.every(({ repaired }) => repaired === true) ? "repaired" : "not repaired";
}

function unfitIn(matrix: readonly RemedyRow[], scenarios: readonly Scenario[]): string[] {
  return matrix.flatMap(({ name, effects }) =>
    scenarios
      .filter(({ truth }) => truth.faults.some(({ culprit }) => isServiceName(culprit)))
      .filter(
        (scenario) => effects[scenario.name] === "repaired" && !fits(name as Remediation, scenario),
      )
      .map((scenario) => `${name} repaired ${scenario.name}, but does not fit its fault`),
  );
}

const TEXT: Readonly<Record<NonNullable<Effect>, string>> = {
  repaired: "yes",
  "not repaired": "no",
  "nothing to change": "·",
};

/** A table with a row per remedy and a column per scenario. */
export function remedyTable(
  scenarios: readonly string[],
  rows: readonly RemedyRow[],
): readonly (readonly string[])[] {
  return rows.map(({ name, effects }) => [
    name,
    ...scenarios.map((scenario) => {
      const effect = effects[scenario] ?? null;
      return effect === null ? "–" : TEXT[effect];
    }),
  ]);
}

/** Writes `remedies.md` beside the summary. */
export function writeRemedyTables(results: string, tables: RemedyTables): void {
  const { scenarios, floors, matrix } = tables;
  const line = (cells: readonly string[]): string => `| ${cells.join(" | ")} |`;
  const markdown = (rows: readonly RemedyRow[]): string =>
    [
      line(["remedy", ...scenarios]),
      line(["---", ...scenarios.map(() => "---")]),
      ...remedyTable(scenarios, rows).map(line),
    ].join("\n");
  writeText(
    `${results}/remedies.md`,
    [
      "# Remedies",
      "Each was carried out on a re-creation of the incident and judged by five verdicts: the signature is gone, it stays gone for 120 s, it survives a restart of the service, data flows, nothing else changed. yes: all hold; no: one fell; ·: there was nothing to change, so that it is the same as doing nothing; –: not carried out. Where nothing was wrong, a remedy is right that leaves everything as it was.",
      "Without a diagnosis:",
      markdown(floors),
      "Each action on the service at fault, with its default value:",
      `${markdown(matrix)}\n`,
    ].join("\n\n"),
  );
}
