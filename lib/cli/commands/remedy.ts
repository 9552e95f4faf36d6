/** Executes the remedies that answers propose, and prints what they repaired. */
import {
  type CarriedOut,
  carryOut,
  type RemedyTables,
  remedyTable,
} from "../../run/remedy/carry-out.ts";
import type { CommandDefinition } from "../command.ts";
import { EXIT_INVALID, exitCodeOfOutcomes } from "../exit-codes.ts";
import { collect, labsOf, type ParallelOptions, withParallel } from "../options.ts";
import { table } from "../table.ts";

interface RemedyOptions extends ParallelOptions {
  readonly incidents: readonly string[];
  readonly investigator: readonly string[];
  readonly scenario: readonly string[];
  readonly floors: boolean;
  readonly matrix: boolean;
  readonly kept: boolean;
}

export const remedy: CommandDefinition<RemedyOptions, [string]> = {
  word: "remedy",
  help: "carry out the remedies of kept examinations on re-creations of their incidents",
  declare: (command) =>
    withParallel(command.argument("<results>", "folder of examinations, such as results/examined"))
      .option(
        "--incidents <folder>",
        "folder of recorded incidents with their truths; may be repeated (results/incidents)",
        collect,
        [],
      )
      .option("--investigator <name>", "only this one's answers; may be repeated", collect, [])
      .option("--scenario <name>", "only this scenario; may be repeated", collect, [])
      .option(
        "--floors",
        "also: do nothing, restart the alerted service, restart everything",
        false,
      )
      .option("--matrix", "also: every action on the service at fault, in every scenario", false)
      .option("--kept", "carry nothing out: make the tables from what the folder holds", false),
  action: async (context, options, results) => {
    const { incidents, investigator, scenario, floors, matrix, kept } = options;
    const found = await carryOut(context, {
      results,
      incidents: incidents.length === 0 ? ["results/incidents"] : incidents,
      labs: labsOf(options),
      scenarios: scenario,
      investigators: investigator,
      floors,
      matrix,
      kept,
    });
    context.print(options.json ? JSON.stringify(found, null, 2) : textOf(found, results));
    const exitCode = exitCodeOfOutcomes(found.failed.map(({ outcome }) => outcome));
    return exitCode === 0 && found.tables.unfit.length > 0 ? EXIT_INVALID : exitCode;
  },
};

function textOf({ runs, failed, tables }: CarriedOut, results: string): string {
  return [
    ...(runs.length === 0 ? [] : [runsTable(runs)]),
    ...tablesText(tables),
    ...failed.map(({ scenario, key, outcome }) =>
      outcome.kind === "valid" ? "" : `failed: ${scenario}: ${key}: ${outcome.reason}`,
    ),
    ...tables.unfit,
    `tables: ${results}/remedies.md`,
  ].join("\n\n");
}

const VERDICTS = [
  "signature_gone",
  "stays_gone",
  "survives_restart",
  "data_flows",
  "nothing_else_changed",
] as const;

function runsTable(runs: CarriedOut["runs"]): string {
  return table(
    [
      "scenario",
      "investigator",
      "remedy",
      "repaired",
      ...VERDICTS.map((name) => name.replaceAll("_", " ")),
    ],
    runs.map(({ scenario, investigator, repair }) => [
      scenario,
      investigator,
      repair === null ? "–" : repair.acts.join("; ") || "nothing",
      repair === null ? "–" : repair.repaired ? "yes" : "no",
      ...VERDICTS.map((name) => {
        const holds = repair?.verdicts[name].holds ?? null;
        return holds === null ? "–" : holds ? "yes" : "no";
      }),
    ]),
  );
}

function tablesText({ scenarios, floors, matrix }: RemedyTables): string[] {
  const header = ["remedy", ...scenarios];
  return [floors, matrix].map((rows) => table(header, remedyTable(scenarios, rows)));
}
