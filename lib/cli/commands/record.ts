/** Records scenarios into bundles that anyone can examine later. */
import { recordIncidents } from "../../run/record-incidents.ts";
import type { Shard } from "../../run/runs-folder.ts";
import type { CommandDefinition } from "../command.ts";
import { exitCodeOfOutcomes } from "../exit-codes.ts";
import { labsOf, type ParallelOptions, shardOption, whole, withParallel } from "../options.ts";
import { table } from "../table.ts";

interface RecordOptions extends ParallelOptions {
  readonly all: boolean;
  readonly repeat: number;
  readonly shard?: Shard;
  readonly seed?: number;
  readonly later: boolean;
  readonly into: string;
}

export const record: CommandDefinition<RecordOptions, [string | undefined]> = {
  word: "record",
  help: "freeze incidents into bundles, to be examined later or elsewhere",
  declare: (command) =>
    withParallel(command.argument("[scenario]", "record one scenario"))
      .option("--all", "every scenario and control", false)
      .option("--repeat <n>", "recordings of each scenario", whole(1, 1000, "recordings"), 1)
      .addOption(shardOption())
      .option("--seed <n>", "seed of chance", whole(0, 4294967295, "a seed"))
      .option("--later", "freeze each fault again after 120 s, as an incident of its own", false)
      .option("--into <folder>", "where bundles and truths are kept", "results/recorded"),
  action: async (context, { all, repeat, shard, seed, later, into, json, ...lab }, scenario) => {
    const labs = labsOf({ json, ...lab });
    const request = { scenario, all, repeat, shard, seed, later, labs, folder: into };
    const lines = await recordIncidents(context, request);
    if (json) context.print(JSON.stringify(lines, null, 2));
    else {
      const rows = lines.map(({ scenario, repeat, outcome, seconds, bundle, later }) => [
        scenario,
        String(repeat),
        outcome.kind === "environment-invalid" ? `invalid (${outcome.phase})` : outcome.kind,
        `${seconds} s`,
        [bundle, later].filter((path) => path !== null).join(", ") || "–",
      ]);
      context.print(table(["scenario", "recording", "outcome", "lab", "bundle"], rows));
    }
    return exitCodeOfOutcomes(lines.map(({ outcome }) => outcome));
  },
};
