/** The exit codes of commands; `lib/base/errors.ts` has those of errors. */
import { EXIT_DEFECT } from "../base/errors.ts";
import type { ExperimentResult } from "../run/experiment.ts";

/** The machine, the lab or the model is not usable, or a run was invalid. */
export const EXIT_INVALID = 2;
const EXIT_BELOW_MIN_SCORE = 4;

export const EXIT_CODES = `
Exit codes:
  0  every run was valid (a wrong diagnosis is a result, not a failure)
  1  the command, a file or a variable breaks a rule
  2  the machine or the lab could not do it; some run was invalid
  3  a defect of ours
  4  the mean share of points is below --min-score
130  stopped by Ctrl-C or SIGTERM`;

type Outcome = ExperimentResult["manifests"][number]["outcome"];

/** 0 when every run was valid; a defect of the project has precedence over a failed environment. */
export function exitCodeOfOutcomes(outcomes: readonly Outcome[]): number {
  if (outcomes.some(({ kind }) => kind === "harness-defect")) return EXIT_DEFECT;
  return outcomes.some(({ kind }) => kind === "environment-invalid") ? EXIT_INVALID : 0;
}

/** The exit code of an experiment; a group without a valid run is below every `minScore`. */
export function exitCodeOf(
  manifests: readonly { readonly outcome: Outcome }[],
  shares: readonly number[],
  minScore: number | undefined,
): number {
  const exitCode = exitCodeOfOutcomes(manifests.map(({ outcome }) => outcome));
  if (exitCode !== 0) return exitCode;
  const isBelow = shares.some((share) => minScore !== undefined && !(share >= minScore));
  return isBelow ? EXIT_BELOW_MIN_SCORE : 0;
}
