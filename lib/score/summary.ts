/** Aggregates examinations per investigator, isolation and scenario. Pure. */
import {
  baseRateBrier,
  calibration,
  type CalibrationBin,
  riskCoverage,
  type RiskCoverage,
  type Stated,
} from "./calibration.ts";
import { type Details, detailsOf, overScenarios, type Scored } from "./details.ts";
import { type Kind, kindOf, KINDS } from "./kinds.ts";
import { REFERENCE } from "./reference.ts";
import type { Manifest } from "./run-record.ts";
import {
  type Estimate,
  meanOf,
  pairedTest,
  type PairedTest,
  passAtK,
  passHatK,
} from "./statistics.ts";

/** The runs of one scenario by one investigator. */
export interface Cell {
  readonly scenario: string;
  readonly control: boolean;
  /** Number of valid runs; the next fields count the others. */
  readonly n: number;
  readonly invalid: number;
  readonly defects: number;
  readonly agent_failures: number;
  readonly abstained: number;
  readonly correct: number;
  readonly mean_points: number | null;
  readonly max_points: number | null;
  readonly pass_at_1: number | null;
  readonly pass_at_k: number | null;
  readonly pass_hat_k: number | null;
  readonly k: number;
  /** Means over the valid runs; null when there are none. */
  readonly means: CellMeans | null;
}

/** Means over the valid runs of a cell. */
export interface CellMeans {
  readonly grounded: number;
  readonly invented: number;
  readonly struck: number;
  readonly brier: number;
  readonly rounds: number;
  readonly tool_calls: number;
  readonly model_calls: number;
  readonly tokens: number;
  readonly wall_seconds: number;
  /** Wall-clock time minus the time of the model. */
  readonly own_seconds: number;
}

export interface Group {
  readonly investigator: string;
  readonly kind: Kind;
  readonly isolation: Manifest["isolation"];
  /** Whether the agent ran without confinement. */
  readonly unconfined: boolean;
  readonly runs: number;
  readonly valid: number;
  readonly invalid: number;
  readonly defects: number;
  /** The headline: share of right ones among the named faults, 0 when one is missed. */
  readonly diagnosis: Estimate;
  /** Share of executed remedies that repaired the system; null when none was executed. */
  readonly repair: Estimate | null;
  /** Valid examinations whose remedies were executed. */
  readonly executed: number;
  /** Number of examinations that named only `unknown`. */
  readonly abstained: number;
  readonly mean_tokens: number | null;
  readonly mean_tool_calls: number | null;
  readonly mean_wall_seconds: number | null;
  /** Mean points on the reference's scenarios; null when none of them was examined. */
  readonly rubric: Rubric | null;
  /** Mean over all valid examinations. */
  readonly brier: number | null;
  /** 1 minus the Brier score over that of the base rate; null when all truths are the same. */
  readonly skill: number | null;
  readonly grounded: number;
  readonly invented: number;
  readonly calibration: readonly CalibrationBin[];
  readonly risk_coverage: RiskCoverage;
  readonly cells: readonly Cell[];
  /** The partial scores. */
  readonly details: Details;
}

export interface Rubric {
  readonly points: number;
  readonly max: number;
  readonly scenarios: number;
}

/** Two investigators on the incidents that both examined. */
export interface Comparison extends PairedTest {
  readonly isolation: Manifest["isolation"];
  readonly investigators: readonly [string, string];
}

export interface Summary {
  readonly schema_version: 2;
  readonly runs: number;
  readonly groups: readonly Group[];
  readonly comparisons: readonly Comparison[];
}

const MAX_K = 5;

/** Aggregates runs; investigators and isolation modes stay separate. */
export function summarize(manifests: readonly Manifest[]): Summary {
  const tables = [...Map.groupBy(manifests, ({ isolation }) => isolation).values()].map(tableOf);
  return {
    schema_version: 2,
    runs: manifests.length,
    groups: tables.flatMap(({ groups }) => groups),
    comparisons: tables.flatMap(({ comparisons }) => comparisons),
  };
}

const isScored = (manifest: Manifest): manifest is Scored =>
  manifest.outcome.kind === "valid" && manifest.score !== null;

/** Data shared by all groups of a table. */
interface TableBase {
  readonly k: number;
  readonly baseRate: number;
}

/** The groups of one table, by kind, the best diagnosis first. */
function tableOf(manifests: readonly Manifest[]): Pick<Summary, "groups" | "comparisons"> {
  const scored = manifests.filter(isScored);
  const cells = Map.groupBy(scored, ({ investigator, scenario }) => `${investigator}\n${scenario}`);
  const truths = new Map(scored.map(({ scenario, truth }) => [scenario, JSON.stringify(truth)]));
  const base: TableBase = {
    k: Math.min(MAX_K, ...[...cells.values()].map(({ length }) => length)),
    baseRate: truths.size === 0 ? 0 : baseRateBrier([...truths.values()]),
  };
  const byName = Map.groupBy(manifests, ({ investigator }) => investigator);
  const groups = [...byName.values()]
    .map((runs) => groupOf(runs, base))
    .toSorted(
      (a, b) =>
        KINDS.indexOf(a.kind) - KINDS.indexOf(b.kind) ||
        (b.diagnosis.mean || 0) - (a.diagnosis.mean || 0) ||
        (b.details.mechanism.mean || 0) - (a.details.mechanism.mean || 0) ||
        (a.investigator < b.investigator ? -1 : 1),
    );
  return { groups, comparisons: comparisonsOf(groups, byName) };
}

function groupOf(manifests: readonly Manifest[], base: TableBase): Group {
  const [first] = manifests;
  const scored = manifests.filter(isScored);
  const scenarios = [...new Set(manifests.map(({ scenario }) => scenario))].toSorted();
  const cells = scenarios.map((scenario) =>
    cellOf(
      manifests.filter((manifest) => manifest.scenario === scenario),
      base.k,
    ),
  );
  const stated = scored.map(statedBy);
  const repaired = scored.filter(({ repair }) => repair !== null);
  const brier = meanOrNull(scored.map(({ score }) => score.brier));
  const costs = scored.flatMap(({ cost }) => (cost === null ? [] : [cost]));
  const investigator = first?.investigator ?? "";
  return {
    investigator,
    kind: kindOf(investigator),
    isolation: first?.isolation ?? "fresh",
    unconfined: manifests.some(({ details }) => details["unconfined"] === true),
    runs: manifests.length,
    valid: scored.length,
    invalid: count(manifests, "environment-invalid"),
    defects: count(manifests, "harness-defect"),
    diagnosis: overScenarios(scored, ({ score }) => score.diagnosis),
    executed: repaired.length,
    repair:
      repaired.length === 0
        ? null
        : overScenarios(repaired, ({ repair }) => Number(repair?.repaired === true)),
    abstained: scored.filter(({ score }) => score.abstained).length,
    mean_tokens: meanOrNull(costs.map((cost) => cost.promptTokens + cost.completionTokens)),
    mean_tool_calls: meanOrNull(costs.map(({ toolCalls }) => toolCalls)),
    mean_wall_seconds: meanOrNull(costs.map(({ wallMs }) => wallMs / 1000)),
    rubric: rubricOf(cells),
    brier,
    skill: brier === null || base.baseRate === 0 ? null : 1 - brier / base.baseRate,
    grounded: sum(scored.map(({ score }) => score.grounded_citations)),
    invented: sum(scored.map(({ score }) => score.invented_citations)),
    calibration: calibration(stated.filter(({ names }) => names)),
    risk_coverage: riskCoverage(stated),
    cells,
    details: detailsOf(manifests, scored, base.k),
  };
}

const statedBy = ({ score, agent_failure }: Scored): Stated => ({
  confidence: score.confidence,
  correct: score.correct,
  names: agent_failure === null && !score.abstained,
});

function rubricOf(cells: readonly Cell[]): Rubric | null {
  const compared = cells.flatMap(({ scenario, mean_points: points }) => {
    const max = REFERENCE[scenario]?.max;
    return points === null || max === undefined ? [] : [{ points, max }];
  });
  return compared.length === 0
    ? null
    : {
        points: sum(compared.map(({ points }) => points)),
        max: sum(compared.map(({ max }) => max)),
        scenarios: compared.length,
      };
}

/** One value per incident: a frozen incident, or a scenario at one time, for all investigators. */
function perIncident(manifests: readonly Manifest[]): Map<string, number> {
  const incidents = Map.groupBy(
    manifests.filter(isScored),
    ({ incident, scenario, started_unix_ms }) => incident ?? `${scenario} ${started_unix_ms}`,
  );
  return new Map(
    [...incidents].map(([incident, runs]) => [
      incident,
      meanOf(runs.map(({ score }) => score.diagnosis)),
    ]),
  );
}

function comparisonsOf(
  groups: readonly Group[],
  byName: ReadonlyMap<string, readonly Manifest[]>,
): Comparison[] {
  const values = new Map([...byName].map(([name, runs]) => [name, perIncident(runs)]));
  const empty = new Map<string, number>();
  return groups.flatMap(({ investigator: first, isolation }, i) =>
    groups.slice(i + 1).flatMap(({ investigator: second }) => {
      const test = pairedTest(values.get(first) ?? empty, values.get(second) ?? empty);
      return test === null ? [] : [{ isolation, investigators: [first, second] as const, ...test }];
    }),
  );
}

function cellOf(manifests: readonly Manifest[], k: number): Cell {
  const [first] = manifests;
  const scored = manifests.filter(isScored);
  const n = scored.length;
  const correct = scored.filter(({ score }) => score.correct).length;
  return {
    scenario: first?.scenario ?? "",
    control: first?.control ?? false,
    n,
    invalid: count(manifests, "environment-invalid"),
    defects: count(manifests, "harness-defect"),
    agent_failures: scored.filter(({ agent_failure }) => agent_failure !== null).length,
    abstained: scored.filter(({ score }) => score.abstained).length,
    correct,
    mean_points: meanOrNull(scored.map(({ score }) => score.points)),
    max_points: scored[0]?.score.max ?? null,
    pass_at_1: n === 0 ? null : correct / n,
    pass_at_k: n === 0 ? null : passAtK(correct, n, k),
    pass_hat_k: n === 0 ? null : passHatK(correct, n, k),
    k,
    means: meansOf(scored),
  };
}

function meansOf(scored: readonly Scored[]): CellMeans | null {
  if (scored.length === 0) return null;
  const mean = (value: (run: Scored) => number): number => meanOf(scored.map(value));
  return {
    grounded: mean(({ score }) => score.grounded_citations),
    invented: mean(({ score }) => score.invented_citations),
    struck: mean(({ struck_citations }) => struck_citations),
    brier: mean(({ score }) => score.brier),
    rounds: mean(({ cost }) => cost?.rounds ?? 0),
    tool_calls: mean(({ cost }) => cost?.toolCalls ?? 0),
    model_calls: mean(({ cost }) => cost?.modelCalls ?? 0),
    tokens: mean(({ cost }) => (cost?.promptTokens ?? 0) + (cost?.completionTokens ?? 0)),
    wall_seconds: mean(({ cost }) => (cost?.wallMs ?? 0) / 1000),
    own_seconds: mean(({ cost }) => ((cost?.wallMs ?? 0) - (cost?.modelMs ?? 0)) / 1000),
  };
}

const sum = (values: readonly number[]): number =>
  values.reduce((total, value) => total + value, 0);
const meanOrNull = (values: readonly number[]): number | null =>
  values.length === 0 ? null : meanOf(values);
const count = (manifests: readonly Manifest[], kind: string): number =>
  manifests.filter(({ outcome }) => outcome.kind === kind).length;
