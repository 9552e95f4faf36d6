/** Breaks examinations down by difficulty, class and split. */
import { breakdownOf, confusionOf, tierRows, worthOf } from "../../run/kinds/breakdown.ts";
import { TIERS } from "../../run/kinds/difficulty.ts";
import type { CommandDefinition } from "../command.ts";
import { withJson } from "../options.ts";
import { table } from "../table.ts";

interface BreakdownOptions {
  readonly json: boolean;
  readonly results: string;
}

export const breakdown: CommandDefinition<BreakdownOptions, [string[]]> = {
  word: "breakdown",
  help: "examinations by difficulty, class and split, for folders of bundles",
  declare: (command) =>
    withJson(command.argument("<bundles...>", "folders of the bundles")).option(
      "--results <folder>",
      "where examinations are kept",
      "results/examined",
    ),
  action: async (context, { json, results }, bundles) => {
    const examined = await breakdownOf(results, bundles);
    const worth = worthOf(examined);
    if (json) {
      context.print(JSON.stringify({ worth, tiers: tierRows(examined) }, null, 2));
      return 0;
    }
    context.print(
      table(
        ["investigator", "split", "right", "answered", "right when answered", "falsely calm"],
        worth.map((one) => [
          one.investigator,
          one.split,
          `${one.correct} of ${one.n}`,
          `${one.answered} of ${one.n}`,
          `${one.correctWhenAnswered} of ${one.answered}`,
          String(one.falseCalm),
        ]),
      ),
    );
    context.print(
      `\n${table(["investigator", "split", ...TIERS, "not measured"], tierRows(examined))}`,
    );
    for (const investigator of new Set(worth.map((one) => one.investigator))) {
      context.print(
        `\n${table(["true class", `named by ${investigator}`], confusionOf(examined, investigator))}`,
      );
    }
    return 0;
  },
};
