/** Checks every fault, signature, alert and recovery, without an investigator. */
import { SPANS, type Verification, verify as verifyScenarios } from "../../run/verify.ts";
import type { CommandDefinition } from "../command.ts";
import { EXIT_INVALID, exitCodeOfOutcomes } from "../exit-codes.ts";
import { labsOf, type ParallelOptions, withParallel } from "../options.ts";
import { table } from "../table.ts";

export const verify: CommandDefinition<ParallelOptions, [readonly string[]]> = {
  word: "verify",
  help: "prove every fault, signature, alert and recovery; no investigator",
  declare: (command) => withParallel(command.argument("[scenarios...]", "all, if none is named")),
  action: async (context, options, scenarios) => {
    const found = await verifyScenarios(context, { scenarios, labs: labsOf(options) });
    const { matrix, wrong, times } = found;
    if (options.json) context.print(JSON.stringify({ matrix, wrong, times }, null, 2));
    else {
      context.print(`${matrixTable(found)}\n\n${timesTable(found)}`);
      for (const line of wrong) context.print(line);
    }
    const exitCode = exitCodeOfOutcomes(times.map(({ outcome }) => outcome));
    return exitCode === 0 && wrong.length > 0 ? EXIT_INVALID : exitCode;
  },
};

function matrixTable({ matrix, columns }: Verification): string {
  return table(
    ["fault in force", ...columns],
    matrix.map(({ fault, holds }) => [
      fault,
      ...columns.map((name) => (holds[name] === true ? "true" : "–")),
    ]),
  );
}

function timesTable({ times }: Verification): string {
  const names = SPANS.map(([name]) => name);
  return table(
    ["scenario", "outcome", ...names],
    times.map(({ scenario, outcome, seconds }) => [
      scenario,
      outcome.kind === "environment-invalid"
        ? `invalid (${outcome.phase}): ${outcome.reason}`
        : outcome.kind,
      ...names.map((name) => {
        const value = seconds[name] ?? null;
        return value === null ? "–" : `${value.toFixed(0)} s`;
      }),
    ]),
  );
}
