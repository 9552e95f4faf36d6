/** Examines recorded incidents. Needs only Bun and Prometheus. */
import { examineIncidents } from "../../run/examine-incidents.ts";
import {
  investigatorsNamed,
  type Withheld,
  withheldFrom,
  withoutPillars,
} from "../../run/investigators.ts";
import type { Shard } from "../../run/runs-folder.ts";
import type { CommandDefinition } from "../command.ts";
import { shardOption, whole, withInvestigators, withJson } from "../options.ts";
import { printRuns } from "./run.ts";

interface ExamineOptions {
  readonly investigator: readonly string[];
  readonly calls?: number;
  readonly modelUrl?: string;
  readonly agentFiles: readonly string[];
  readonly agentModel?: string;
  readonly agentEnv: readonly string[];
  readonly parallel: number;
  readonly shard?: Shard;
  readonly again: boolean;
  readonly without?: readonly Withheld[];
  readonly results: string;
  readonly minScore?: number;
  readonly json: boolean;
}

export const examine: CommandDefinition<ExamineOptions, [string[]]> = {
  word: "examine",
  help: "let investigators examine recorded incidents; needs Bun and Prometheus, no root",
  declare: (command) =>
    withInvestigators(withJson(command.argument("<bundles...>", "bundles, and folders of them")))
      .option("--parallel <n>", "examinations side by side", whole(1, 64, "examinations"), 2)
      .addOption(shardOption())
      .option("--again", "examine again what the results folder holds", false)
      .option("--without <pillars>", "withhold some of logs,traces,runtime,dds", withheldFrom)
      .option("--results <folder>", "where everything is kept", "results/examined"),
  action: async (context, options, paths) => {
    const { investigator, parallel, shard, again, without, results } = options;
    const named = investigatorsNamed(investigator, { ...options, hidden: [results, ...paths] });
    const investigators =
      without === undefined ? named : named.map((one) => withoutPillars(one, without));
    const request = { paths, investigators, parallel, shard, again, results };
    return printRuns(context, await examineIncidents(context, request), options);
  },
};
