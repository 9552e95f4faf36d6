/** Renders summaries as Markdown tables. Pure. */
import { detailRows } from "./details.ts";
import { REFERENCE, REFERENCE_TOTAL } from "./reference.ts";
import type { Estimate } from "./statistics.ts";
import type { Cell, Comparison, Group, Rubric, Summary } from "./summary.ts";

/** Describes how the tables' estimates are computed. */
export const ESTIMATE_METHOD =
  "Percentages are means of the scenarios' means, so that each scenario counts once. Intervals are 95 %: Wilson's with one value per scenario; repeats of a scenario narrow them only as far as they differ from each other.";

export const nameOf = ({ investigator, isolation, unconfined }: Group): string => {
  const marks = [
    ...(isolation === "fresh" ? [] : [isolation]),
    ...(unconfined ? ["unconfined"] : []),
  ];
  return marks.length === 0 ? investigator : `${investigator} (${marks.join(", ")})`;
};

/** A column of the headline table. */
type Column = readonly [name: string, text: (group: Group) => string];

export const HEADLINE: readonly Column[] = [
  ["investigator", nameOf],
  ["kind", ({ kind }) => kind],
  ["diagnosis", ({ diagnosis }) => estimateText(diagnosis)],
  ["repaired", repairText],
  ["abstained", ({ abstained, valid }) => `${abstained} of ${valid}`],
  ["tokens", ({ mean_tokens }) => rounded(mean_tokens, 0)],
  ["calls", ({ mean_tool_calls }) => rounded(mean_tool_calls, 0)],
  ["seconds", ({ mean_wall_seconds }) => rounded(mean_wall_seconds, 1)],
  [`rubric (reference: ${REFERENCE_TOTAL})`, ({ rubric }) => rubricText(rubric)],
  ["valid runs", ({ valid, runs }) => `${valid} of ${runs}`],
];

function rounded(value: number | null, digits: number): string {
  return value === null ? "–" : value.toFixed(digits);
}

/** A dash for what was not carried out; a part of it says so. */
function repairText({ repair, executed, valid }: Group): string {
  if (repair === null) return "–";
  const part = executed === valid ? "" : `, ${executed} of ${valid} carried out`;
  return `${estimateText(repair)}${part}`;
}

function rubricText(rubric: Rubric | null): string {
  if (rubric === null) return "–";
  const whole = Object.keys(REFERENCE).length;
  const part = rubric.scenarios === whole ? "" : ` (${rubric.scenarios} of ${whole} scenarios)`;
  return `${Number(rubric.points.toFixed(2))}/${rubric.max}${part}`;
}

/** One row per investigator. */
export const headlineTable = ({ groups }: Pick<Summary, "groups">): string =>
  markdownTable(
    HEADLINE.map(([name]) => name),
    groups.map((group) => HEADLINE.map(([, text]) => text(group))),
  );

/** The headline, and each investigator's right diagnoses by scenario. */
export function summaryTable(summary: Pick<Summary, "groups">): string {
  const { groups } = summary;
  const scenarios = scenariosOf(groups);
  const rows = scenarios.map((scenario) => [
    scenario,
    ...groups.map(({ cells }) => cellText(cells.find((cell) => cell.scenario === scenario))),
  ]);
  return `${headlineTable(summary)}\n\n${markdownTable(["scenario", ...groups.map(nameOf)], rows)}`;
}

const scenariosOf = (groups: readonly Group[]): string[] => [
  ...new Set(groups.flatMap(({ cells }) => cells.map(({ scenario }) => scenario))),
];

function cellText(cell: Cell | undefined): string {
  if (cell === undefined) return "–";
  const { n, correct, abstained, invalid, defects } = cell;
  if (n === 0) return `no valid run of ${invalid + defects}`;
  return `${correct}/${n} right${abstained === 0 ? "" : `, ${abstained} unknown`}`;
}

/** Calibration figures: name and value. */
export const CALIBRATION_FIGURES: readonly Column[] = [
  ["Brier score (0 to 2, lower is better)", ({ brier }) => rounded(brier, 3)],
  ["skill against the base rate", ({ skill }) => rounded(skill, 2)],
  ["area under risk over coverage", ({ risk_coverage: { area } }) => numberText(area)],
];

const numberText = (value: number): string => (Number.isFinite(value) ? value.toFixed(2) : "–");

/** The partial scores with calibration, as a Markdown table. */
export function detailsTable({ groups }: Summary): string {
  const columns = groups.map((group) => [
    ...detailRows(group.details, estimateText),
    ...CALIBRATION_FIGURES.map(([name, text]) => [name, text(group)] as const),
  ]);
  const rows = (columns[0] ?? []).map(([name], i) => [
    name,
    ...columns.map((column) => column[i]?.[1] ?? ""),
  ]);
  return markdownTable(["", ...groups.map(nameOf)], rows);
}

/** The paired comparisons, as a Markdown table; empty without a shared incident. */
export function comparisonTable({
  comparisons,
  groups,
}: Pick<Summary, "comparisons" | "groups">): string {
  if (comparisons.length === 0) return "No two investigators examined the same incident.";
  const header = ["", "shared incidents", "first better", "second better", "p (exact sign test)"];
  return markdownTable(
    header,
    comparisons.map((comparison) => comparisonRow(comparison, groups)),
  );
}

export const comparisonRow = (
  { investigators, isolation, shared, first, second, p }: Comparison,
  groups: readonly Group[],
): string[] => [
  investigators.map((name) => markedName(name, isolation, groups)).join(" – "),
  String(shared),
  String(first),
  String(second),
  p < 0.001 ? "< 0.001" : p.toFixed(3),
];

/**
 * Cost and citations per investigator and scenario, as a Markdown table of means over the valid
 * runs.
 */
export function figuresTable({ groups }: Summary): string {
  const header = [
    "investigator",
    "scenario",
    "rubric",
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
              means.brier.toFixed(3),
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

/** The investigator's name as in the other tables. */
function markedName(name: string, isolation: string, groups: readonly Group[]): string {
  const group = groups.find((one) => one.investigator === name && one.isolation === isolation);
  return group === undefined ? name : nameOf(group);
}

const short = (value: number): string => String(Number(value.toFixed(1)));

function markdownTable(header: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]): string => `| ${cells.join(" | ")} |`;
  return [line(header), line(header.map(() => "---")), ...rows.map(line)].join("\n");
}

export function estimateText({ mean, low, high }: Estimate): string {
  const percent = (value: number): string => String(Math.round(value * 100));
  return Number.isNaN(mean) ? "–" : `${percent(mean)} % (${percent(low)}–${percent(high)})`;
}
