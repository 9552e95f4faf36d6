/** Computes the parts of a score over all runs of one investigator. Pure. */
import type { Manifest } from "./run-record.ts";
import { meanOfClusterMeans, type Estimate, passAtK, passHatK } from "./statistics.ts";

/** A valid run with its score. */
export type Scored = Manifest & { readonly score: NonNullable<Manifest["score"]> };

export interface Details {
  /** Share of runs with the right service, fault class and remedy. */
  readonly component: Estimate;
  readonly fault_class: Estimate;
  readonly remediation: Estimate;
  /** Median error of the stated onset, seconds; null when no run stated one. */
  readonly onset_error_seconds: number | null;
  /** Runs with a fault that stated an onset. */
  readonly onsets: number;
  /**
   * pass@1, pass@k and pass^k averaged over scenarios. k is the smallest number of valid runs of a
   * scenario, but at most MAX_K. Null without a valid run.
   */
  readonly pass: {
    readonly k: number;
    readonly at_1: number;
    readonly at_k: number;
    readonly hat_k: number;
  } | null;
  /** Runs without a right diagnosis, by cause. */
  readonly failures: {
    readonly agent: number;
    readonly environment: number;
    readonly harness: number;
  };
  /** Runs whose environment failed at first and was tried again. */
  readonly retried: number;
}

const MAX_K = 5;

/** The mean over the scenarios of each scenario's mean value. */
export function overScenarios(scored: readonly Scored[], value: (run: Scored) => number): Estimate {
  const byScenario = Map.groupBy(scored, ({ scenario }) => scenario);
  return meanOfClusterMeans([...byScenario.values()].map((runs) => runs.map(value)));
}

export function detailsOf(manifests: readonly Manifest[], scored: readonly Scored[]): Details {
  const errors = scored.flatMap(({ score }) =>
    score.onset_error_seconds === null ? [] : [Math.abs(score.onset_error_seconds)],
  );
  const outcomes = (kind: string): number =>
    manifests.filter(({ outcome }) => outcome.kind === kind).length;
  return {
    component: overScenarios(scored, ({ score }) => Number(score.component)),
    fault_class: overScenarios(scored, ({ score }) => Number(score.fault_class)),
    remediation: overScenarios(scored, ({ score }) => Number(score.remediation)),
    onset_error_seconds: medianOf(errors),
    onsets: errors.length,
    pass: passOf([...Map.groupBy(scored, ({ scenario }) => scenario).values()]),
    failures: {
      agent: scored.filter(({ score }) => !score.correct).length,
      environment: outcomes("environment-invalid"),
      harness: outcomes("harness-defect"),
    },
    retried: manifests.filter(({ attempts }) => attempts > 1).length,
  };
}

function passOf(scenarios: readonly (readonly Scored[])[]): Details["pass"] {
  if (scenarios.length === 0) return null;
  const k = Math.min(MAX_K, ...scenarios.map(({ length }) => length));
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

/** The rows that show a group's score in its parts: name and value. */
export function detailRows(
  { component, fault_class, remediation, onset_error_seconds, ...rest }: Details,
  estimateText: (estimate: Estimate) => string,
): readonly (readonly [string, string])[] {
  const { onsets, pass, failures, retried } = rest;
  const percent = (chance: number): string => `${Math.round(chance * 100)} %`;
  return [
    ["right service", estimateText(component)],
    ["right kind of fault", estimateText(fault_class)],
    ["right remedy", estimateText(remediation)],
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
