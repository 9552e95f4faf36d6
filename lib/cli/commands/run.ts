/** Runs one scenario, or a campaign; the command without a word. */
import { describeFaults } from "../../contract/answer.ts";
import {
  type ExperimentRequest,
  type ExperimentResult,
  runExperiment,
} from "../../run/experiment.ts";
import { investigatorsNamed } from "../../run/investigators.ts";
import type { CommandContext, CommandDefinition } from "../command.ts";
import { exitCodeOf } from "../exit-codes.ts";
import { experimentOf, type RunOptions, withRun } from "../options.ts";
import { table } from "../table.ts";

export const run: CommandDefinition<RunOptions, [string | undefined]> = {
  word: null,
  help: "run one scenario: fault, alert, investigation, score, recovery",
  declare: (command) =>
    withRun(
      command.argument(
        "[scenario]",
        "run one scenario: fault, alert, investigation, score, recovery",
      ),
    ),
  action: (context, options, scenario) =>
    runAndPrint(
      context,
      investigatorsNamed(options.investigator, { ...options, hidden: [options.results] }),
      scenario,
      options,
    ),
};

/** Runs the experiment, prints a line for each run, and returns the exit code. */
export async function runAndPrint(
  context: CommandContext,
  investigators: ExperimentRequest["investigators"],
  scenario: string | undefined,
  options: RunOptions,
): Promise<number> {
  const request = { ...experimentOf(options), investigators, scenario };
  return printRuns(context, await runExperiment(context, request), options);
}

/** Prints a line for each run, and returns the exit code. */
export function printRuns(
  context: CommandContext,
  { manifests, summary, folder }: ExperimentResult,
  options: Pick<RunOptions, "json" | "minScore">,
): number {
  if (options.json) context.print(JSON.stringify({ runs: manifests.map(brief), summary }, null, 2));
  else context.print(`${runsTable(manifests)}\n\nreport: ${folder}/report.html`);
  const shares = summary.groups.map(({ details }) => details.share ?? Number.NaN);
  return exitCodeOf(manifests, shares, options.minScore);
}

type Manifest = ExperimentResult["manifests"][number];

const brief = ({ scenario, investigator, repeat, outcome, score, diagnosis, cost }: Manifest) => ({
  scenario,
  investigator,
  repeat,
  outcome,
  diagnosis,
  points: score?.points ?? null,
  max: score?.max ?? null,
  correct: score?.correct ?? null,
  cost,
});

const HEADER = [
  "scenario",
  "investigator",
  "run",
  "outcome",
  "diagnosis",
  "right",
  "rubric",
  "confidence",
  "onset error",
  "time",
] as const;

function runsTable(manifests: readonly Manifest[]): string {
  return table(
    HEADER,
    manifests.map(
      ({ scenario, investigator, repeat, outcome, score, diagnosis, cost, details }) => [
        scenario,
        details["unconfined"] === true ? `${investigator} (unconfined)` : investigator,
        String(repeat),
        outcome.kind === "environment-invalid" ? `invalid (${outcome.phase})` : outcome.kind,
        diagnosis === null ? "–" : describeFaults(diagnosis),
        score === null ? "–" : `${Math.round(score.diagnosis * 100)} %`,
        score === null ? "–" : `${score.points}/${score.max}`,
        score === null ? "–" : `${Math.round(score.confidence * 100)} %`,
        score?.onset_error_seconds === null || score === null
          ? "–"
          : `${score.onset_error_seconds} s`,
        cost === null ? "–" : `${(cost.wallMs / 1000).toFixed(1)} s`,
      ],
    ),
  );
}
