/** Computes the parts of a score over all runs of one investigator. Pure. */
import type { Manifest } from "./run-record.ts";
import { type Estimate, estimateOf, meanOf, passAtK, passHatK } from "./statistics.ts";

/** A valid run with its score. */
export type Scored = Manifest & { readonly score: NonNullable<Manifest["score"]> };

export interface Details {
  /** Share of runs with the right culprits. */
  readonly component: Estimate;
  readonly fault_class: Estimate;
  readonly remediation: Estimate;
  /** Share of runs that show the mechanism. */
  readonly mechanism: Estimate;
  /** Mean F1 of the cited evidence; null when none was expected or measured. */
  readonly evidence_f1: number | null;
  /** Mean share of the rubric's points; negative when misattributions cost more than all points. */
  readonly share: number | null;
  /** Median error of the stated onset, seconds; null when no run stated one. */
  readonly onset_error_seconds: number | null;
  /** Number of runs with a fault whose answer stated an onset. */
  readonly onsets: number;
  /**
   * pass@1, pass@k and pass^k averaged over scenarios, with the same k for every investigator of a
   * table. Null without a valid run.
   */
  readonly pass: {
    readonly k: number;
    readonly at_1: number;
    readonly at_k: number;
    readonly hat_k: number;
  } | null;
  /** Number of runs without a right diagnosis, by cause. */
  readonly failures: {
    readonly agent: number;
    readonly environment: number;
    readonly harness: number;
  };
  /** Number of runs that were tried again after their environment failed. */
  readonly retried: number;
}

/** The mean over scenarios of each scenario's mean value. */
export function overScenarios(scored: readonly Scored[], value: (run: Scored) => number): Estimate {
  const byScenario = Map.groupBy(scored, ({ scenario }) => scenario);
  return estimateOf([...byScenario.values()].map((runs) => runs.map(value)));
}

/** `k` of pass@k and pass^k; every scenario has at least this number of runs. */
export function detailsOf(
  manifests: readonly Manifest[],
  scored: readonly Scored[],
  k: number,
): Details {
  const errors = scored.flatMap(({ score }) =>
    score.onset_error_seconds === null ? [] : [Math.abs(score.onset_error_seconds)],
  );
  const outcomes = (kind: string): number =>
    manifests.filter(({ outcome }) => outcome.kind === kind).length;
  return {
    component: overScenarios(scored, ({ score }) => Number(score.component)),
    fault_class: overScenarios(scored, ({ score }) => Number(score.fault_class)),
    remediation: overScenarios(scored, ({ score }) => Number(score.remediation)),
    mechanism: overScenarios(scored, ({ score }) => Number(score.mechanism)),
    evidence_f1: meanOrNull(
      scored.flatMap(({ score }) => (score.evidence_f1 === null ? [] : [score.evidence_f1])),
    ),
    share: meanOrNull(
      [...Map.groupBy(scored, ({ scenario }) => scenario).values()].map((runs) =>
        meanOf(runs.map(({ score }) => score.points / score.max)),
      ),
    ),
    onset_error_seconds: medianOf(errors),
    onsets: errors.length,
    pass: passOf([...Map.groupBy(scored, ({ scenario }) => scenario).values()], k),
    failures: {
      agent: scored.filter(({ score }) => !score.correct).length,
      environment: outcomes("environment-invalid"),
      harness: outcomes("harness-defect"),
    },
    retried: manifests.filter(({ attempts }) => attempts > 1).length,
  };
}

const meanOrNull = (values: readonly number[]): number | null =>
  values.length === 0 ? null : meanOf(values);

function passOf(scenarios: readonly (readonly Scored[])[], k: number): Details["pass"] {
  if (scenarios.length === 0) return null;
  const mean = (chance: (right: number, n: number) => number): number =>
    scenarios.reduce((sum, runs) => {
      const right = runs.filter(({ score }) => score.correct).length;
      return sum + chance(right, runs.length);
    }, 0) / scenarios.length;
  return {
    k,
    at_1: mean((right, n) => passAtK(right, n, 1)),
    at_k: mean((right, n) => passAtK(right, n, k)),
    hat_k: mean((right, n) => passHatK(right, n, k)),
  };
}

function medianOf(values: readonly number[]): number | null {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length / 2;
  const [low, high] = [sorted[Math.ceil(middle) - 1], sorted[Math.floor(middle)]];
  return low === undefined || high === undefined ? null : (low + high) / 2;
}

/** Rows for a group's partial scores: name and value. */
export function detailRows(
  details: Details,
  estimateText: (estimate: Estimate) => string,
): readonly (readonly [string, string])[] {
  const { onset_error_seconds, onsets, pass, failures, retried, evidence_f1, share } = details;
  const percent = (chance: number): string => `${Math.round(chance * 100)} %`;
  return [
    ["right culprit", estimateText(details.component)],
    ["right kind of fault", estimateText(details.fault_class)],
    ["right remedy named", estimateText(details.remediation)],
    ["mechanism shown", estimateText(details.mechanism)],
    ["evidence cited (F1)", evidence_f1 === null ? "–" : evidence_f1.toFixed(2)],
    ["share of the rubric's points", share === null ? "–" : percent(share)],
    [
      "onset missed by (median)",
      onset_error_seconds === null ? "–" : `${onset_error_seconds.toFixed(1)} s (${onsets} runs)`,
    ],
    ["pass@1 averaged over scenarios", pass === null ? "–" : percent(pass.at_1)],
    [
      "pass@k averaged over scenarios",
      pass === null ? "–" : `${percent(pass.at_k)} (k = ${pass.k})`,
    ],
    [
      "pass^k averaged over scenarios",
      pass === null ? "–" : `${percent(pass.hat_k)} (k = ${pass.k})`,
    ],
    ["not right: agent's doing", String(failures.agent)],
    ["not measured: environment's", String(failures.environment)],
    ["not measured: lab's own defect", String(failures.harness)],
    ["environment tried twice", String(retried)],
  ];
}
