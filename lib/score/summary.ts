/** Aggregates runs per investigator, isolation and scenario, and counts invalid runs. Pure. */
import { detailRows, type Details, detailsOf, overScenarios, type Scored } from "./details.ts";
import type { Manifest } from "./run-record.ts";
import {
  calibration,
  type CalibrationBin,
  type Estimate,
  passAtK,
  passHatK,
} from "./statistics.ts";

/** The runs of one scenario by one investigator. */
export interface Cell {
  readonly scenario: string;
  readonly control: boolean;
  /** Valid runs; the next fields count the others. */
  readonly n: number;
  readonly invalid: number;
  readonly defects: number;
  readonly agent_failures: number;
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
  /** Over the runs with an answer; null when there are none. */
  readonly brier: number | null;
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
  readonly isolation: Manifest["isolation"];
  readonly runs: number;
  readonly valid: number;
  readonly invalid: number;
  readonly defects: number;
  /** Points divided by the maximum. */
  readonly share: Estimate;
  readonly accuracy: Estimate;
  /** Share of runs that show the mechanism. */
  readonly mechanism: Estimate;
  readonly brier: number | null;
  readonly grounded: number;
  readonly invented: number;
  readonly calibration: readonly CalibrationBin[];
  readonly cells: readonly Cell[];
  readonly mean_wall_seconds: number | null;
  readonly mean_tool_calls: number | null;
  readonly tokens: number;
  /** The score in its parts. */
  readonly details: Details;
}

export interface Summary {
  readonly schema_version: 1;
  readonly runs: number;
  readonly groups: readonly Group[];
}

/** Aggregates runs; investigators and isolation modes stay separate. */
export function summarize(manifests: readonly Manifest[]): Summary {
  const groups = Map.groupBy(
    manifests,
    ({ investigator, isolation }) => `${investigator}\n${isolation}`,
  );
  const sorted = [...groups.values()]
    .map(groupOf)
    .toSorted((a, b) => (b.share.mean || 0) - (a.share.mean || 0));
  return { schema_version: 1, runs: manifests.length, groups: sorted };
}

const isScored = (manifest: Manifest): manifest is Scored =>
  manifest.outcome.kind === "valid" && manifest.score !== null;

function groupOf(manifests: readonly Manifest[]): Group {
  const [first] = manifests;
  const scored = manifests.filter(isScored);
  const scenarios = [...new Set(manifests.map(({ scenario }) => scenario))].toSorted();
  const answered = scored.filter(({ agent_failure }) => agent_failure === null);
  return {
    investigator: first?.investigator ?? "",
    isolation: first?.isolation ?? "fresh",
    runs: manifests.length,
    valid: scored.length,
    invalid: count(manifests, "environment-invalid"),
    defects: count(manifests, "harness-defect"),
    share: overScenarios(scored, ({ score }) => Math.max(0, score.points) / score.max),
    accuracy: overScenarios(scored, ({ score }) => Number(score.correct)),
    mechanism: overScenarios(scored, ({ score }) => Number(score.mechanism)),
    brier: meanOf(answered.map(({ score }) => score.brier)),
    grounded: sum(scored.map(({ score }) => score.grounded_citations)),
    invented: sum(scored.map(({ score }) => score.invented_citations)),
    calibration: calibration(answered.map(({ score }) => score)),
    cells: scenarios.map((scenario) =>
      cellOf(manifests.filter((manifest) => manifest.scenario === scenario)),
    ),
    mean_wall_seconds: meanOf(
      scored.flatMap(({ cost }) => (cost === null ? [] : [cost.wallMs / 1000])),
    ),
    mean_tool_calls: meanOf(scored.flatMap(({ cost }) => (cost === null ? [] : [cost.toolCalls]))),
    tokens: sum(
      scored.map(({ cost }) => (cost?.promptTokens ?? 0) + (cost?.completionTokens ?? 0)),
    ),
    details: detailsOf(manifests, scored),
  };
}

function cellOf(manifests: readonly Manifest[]): Cell {
  const [first] = manifests;
  const scored = manifests.filter(isScored);
  const n = scored.length;
  const correct = scored.filter(({ score }) => score.correct).length;
  const k = Math.min(n, 5);
  return {
    scenario: first?.scenario ?? "",
    control: first?.control ?? false,
    n,
    invalid: count(manifests, "environment-invalid"),
    defects: count(manifests, "harness-defect"),
    agent_failures: scored.filter(({ agent_failure }) => agent_failure !== null).length,
    correct,
    mean_points: meanOf(scored.map(({ score }) => score.points)),
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
  const mean = (value: (run: Scored) => number): number => meanOf(scored.map(value)) ?? 0;
  const answered = scored.filter(({ agent_failure }) => agent_failure === null);
  return {
    grounded: mean(({ score }) => score.grounded_citations),
    invented: mean(({ score }) => score.invented_citations),
    struck: mean(({ struck_citations }) => struck_citations),
    brier: meanOf(answered.map(({ score }) => score.brier)),
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
const meanOf = (values: readonly number[]): number | null =>
  values.length === 0 ? null : sum(values) / values.length;
const count = (manifests: readonly Manifest[], kind: string): number =>
  manifests.filter(({ outcome }) => outcome.kind === kind).length;

/** The summary as a Markdown table, for people and for the README. */
export function summaryTable({ groups }: Summary): string {
  const scenarios = [
    ...new Set(groups.flatMap(({ cells }) => cells.map(({ scenario }) => scenario))),
  ];
  const header = ["scenario", ...groups.map(nameOf)];
  const rows = scenarios.map((scenario) => [
    scenario,
    ...groups.map(({ cells }) => cellText(cells.find((cell) => cell.scenario === scenario))),
  ]);
  const footer = GROUP_FIGURES.map(([name, text]) => [name, ...groups.map(text)]);
  return markdownTable(header, [...rows, ...footer]);
}

/** How the estimates of the tables are computed, in words. */
export const ESTIMATE_METHOD =
  "Percentages are means of the scenarios' means, so that each scenario counts once, with 95 % intervals clustered by scenario.";

/** The rows that sum a group up, in each table. */
export const GROUP_FIGURES: readonly (readonly [string, (group: Group) => string])[] = [
  ["share of points", ({ share }) => estimateText(share)],
  ["right diagnoses", ({ accuracy }) => estimateText(accuracy)],
  ["mechanism shown", ({ mechanism }) => estimateText(mechanism)],
  ["Brier score", ({ brier }) => (brier === null ? "–" : brier.toFixed(3))],
  ["valid runs", ({ valid, runs }) => `${valid} of ${runs}`],
];

/** The score in its parts, as a Markdown table. */
export function detailsTable({ groups }: Summary): string {
  const columns = groups.map(({ details }) => detailRows(details, estimateText));
  const rows = (columns[0] ?? []).map(([name], i) => [
    name,
    ...columns.map((column) => column[i]?.[1] ?? ""),
  ]);
  return markdownTable(["", ...groups.map(nameOf)], rows);
}

/**
 * Cost and citations per investigator and scenario, as a Markdown table of means over the valid
 * runs.
 */
export function figuresTable({ groups }: Summary): string {
  const header = [
    "investigator",
    "scenario",
    "points",
    "right",
    "grounded",
    "invented",
    "struck",
    "Brier",
    "rounds",
    "tool calls",
    "model calls",
    "tokens",
    "seconds",
    "of them without the model",
  ];
  const rows = groups.flatMap((group) =>
    group.cells.flatMap(({ scenario, means, mean_points, max_points, correct, n }) =>
      means === null
        ? []
        : [
            [
              nameOf(group),
              scenario,
              `${Number((mean_points ?? 0).toFixed(2))}/${max_points}`,
              `${correct}/${n}`,
              ...[means.grounded, means.invented, means.struck].map(short),
              means.brier === null ? "–" : means.brier.toFixed(3),
              ...[means.rounds, means.tool_calls, means.model_calls].map(short),
              String(Math.round(means.tokens)),
              means.wall_seconds.toFixed(1),
              means.own_seconds.toFixed(1),
            ],
          ],
    ),
  );
  return markdownTable(header, rows);
}

const short = (value: number): string => String(Number(value.toFixed(1)));

function markdownTable(header: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]): string => `| ${cells.join(" | ")} |`;
  return [line(header), line(header.map(() => "---")), ...rows.map(line)].join("\n");
}

export const nameOf = ({ investigator, isolation }: Group): string =>
  isolation === "fresh" ? investigator : `${investigator} (${isolation})`;

function cellText(cell: Cell | undefined): string {
  if (cell === undefined || cell.mean_points === null) {
    return cell === undefined ? "–" : `no valid run of ${cell.invalid + cell.defects}`;
  }
  const points = Number(cell.mean_points.toFixed(2));
  return `${points}/${cell.max_points} (${cell.correct}/${cell.n} right)`;
}

export function estimateText({ mean, low, high }: Estimate): string {
  const percent = (value: number): string => `${Math.round(Math.min(1, Math.max(0, value)) * 100)}`;
  return Number.isNaN(mean) ? "–" : `${percent(mean)} % (${percent(low)}–${percent(high)})`;
}
