/** Draws random incidents and records them. */
import { UsageError } from "../../base/errors.ts";
import { SERVICES } from "../../contract/topology.ts";
import { coverageRows } from "../../run/kinds/coverage.ts";
import { type Tier, TIERS } from "../../run/kinds/difficulty.ts";
import { generate as generateIncidents, pairsOfDrawn } from "../../run/kinds/generate.ts";
import { Option } from "commander";
import type { CommandDefinition } from "../command.ts";
import { EXIT_INVALID } from "../exit-codes.ts";
import { labsOf, type ParallelOptions, whole, withParallel } from "../options.ts";
import { table } from "../table.ts";

interface GenerateOptions extends ParallelOptions {
  readonly seed?: number;
  readonly count: number;
  readonly tier?: Tier;
  readonly into: string;
}

export const generate: CommandDefinition<GenerateOptions, []> = {
  word: "generate",
  help: "draw incidents from a seed and record those that pass; goes on where it was stopped",
  declare: (command) =>
    withParallel(command)
      .option("--seed <n>", "seed of what is drawn (needed)", whole(0, 4_294_967_295, "a seed"))
      .option("--count <m>", "incidents in the end", whole(1, 10_000, "incidents"), 1)
      .addOption(new Option("--tier <tier>", "count only those of this difficulty").choices(TIERS))
      .option("--into <folder>", "where bundles and truths are kept", "results/generated"),
  action: async (context, options) => {
    const { seed, count, tier, into, json } = options;
    // A seed that nobody chose could not be published.
    if (seed === undefined) throw new UsageError("Cannot generate: --seed <n> must be given");
    const request = { seed, count, tier, labs: labsOf(options), folder: into };
    const drawn = await generateIncidents(context, request);
    const passed = drawn.filter(
      ({ incident, tier: own }) => incident !== null && (tier === undefined || own === tier),
    );
    if (json) context.print(JSON.stringify(drawn, null, 2));
    else {
      const rows = drawn.map((one) => [
        String(one.number),
        one.scenario,
        one.end,
        one.alert ?? "–",
        one.tier ?? "–",
        `${one.seconds} s`,
        one.incident ?? one.reason.slice(0, 80),
      ]);
      const columns = ["incident", "scenario", "end", "alert", "tier", "lab", "bundle"];
      context.print(table(columns, rows));
      context.print(`\n${table(["kind", ...SERVICES], coverageRows(pairsOfDrawn(drawn)))}`);
      context.print(`\n${passed.length} of ${drawn.length} that were drawn are recorded`);
    }
    return passed.length >= count ? 0 : EXIT_INVALID;
  },
};
