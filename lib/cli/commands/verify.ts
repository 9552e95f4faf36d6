/** Checks every fault, signature, alert and recovery, without an investigator. */
import { SPANS, type Verification, verify as verifyScenarios } from "../../run/verify.ts";
import { SERVICES } from "../../contract/topology.ts";
import { confusionRows, countEnds, coverageRows } from "../../run/kinds/coverage.ts";
import { verifyKinds } from "../../run/kinds/verify-kinds.ts";
import type { CommandContext, CommandDefinition } from "../command.ts";
import { EXIT_INVALID, exitCodeOfOutcomes } from "../exit-codes.ts";
import { labsOf, type ParallelOptions, withParallel } from "../options.ts";
import { table } from "../table.ts";

interface VerifyOptions extends ParallelOptions {
  readonly kinds: boolean;
  readonly quick: boolean;
  readonly ledger: string;
}

export const verify: CommandDefinition<VerifyOptions, [readonly string[]]> = {
  word: "verify",
  help: "prove every fault, signature, alert and recovery; no investigator",
  declare: (command) =>
    withParallel(command.argument("[scenarios...]", "all, if none is named"))
      .option(
        "--kinds",
        "prove kinds on their targets instead; goes on where it was stopped",
        false,
      )
      .option("--quick", "with --kinds: many pairs in one lab, without their alerts", false)
      .option("--ledger <file>", "with --kinds: what was proven", "results/kinds.jsonl"),
  action: async (context, options, scenarios) => {
    if (options.kinds || options.quick) return proveKinds(context, options, scenarios);
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

async function proveKinds(
  context: CommandContext,
  options: VerifyOptions,
  names: readonly string[],
): Promise<number> {
  const { quick, ledger } = options;
  const pairs = await verifyKinds(context, { names, quick, labs: labsOf(options), ledger });
  if (options.json) context.print(JSON.stringify(pairs, null, 2));
  else {
    context.print(table(["kind", ...SERVICES], coverageRows(pairs)));
    context.print(
      `\n${table(["in force", "own signature", "others that held"], confusionRows(pairs))}`,
    );
    const counts = Object.entries(countEnds(pairs)).filter(([, count]) => count > 0);
    context.print(`\n${counts.map(([end, count]) => `${count} ${end}`).join(", ")}`);
    for (const { name, end, reason } of pairs) {
      if (reason !== "") context.print(`${name}: ${end}: ${reason}`);
    }
  }
  const isProven = pairs.every(({ end }) => end === "fires" || end === "bites" || end === "silent");
  return isProven ? 0 : EXIT_INVALID;
}

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
