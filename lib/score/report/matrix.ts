/** Renders the tables of the report. */
import { detailRows } from "../details.ts";
import { KIND_MEANINGS, KINDS } from "../kinds.ts";
import { REFERENCE, REFERENCE_TOTAL } from "../reference.ts";
import type { Cell, Comparison, Group } from "../summary.ts";
import { CALIBRATION_FIGURES, comparisonRow, estimateText, HEADLINE, nameOf } from "../tables.ts";
import { html, type Html } from "./html.ts";
import type { ReportRun } from "./run-section.ts";

const headerOf = (names: readonly string[], last: readonly Html[] = []): Html =>
  html`<thead>
    <tr>
      ${names.map((name) => html`<th scope="col">${name}</th>`)} ${last}
    </tr>
  </thead>`;

const rowOf = (name: string, values: readonly string[], last: Html = html``): Html =>
  html`<tr class="sum">
    <th scope="row">${name}</th>
    ${values.map((value) => html`<td>${value}</td>`)} ${last}
  </tr>`;

const tableOf = (head: Html, rows: readonly Html[]): Html =>
  html`<div class="scroll">
    <table>
      ${head}
      <tbody>
        ${rows}
      </tbody>
    </table>
  </div>`;

/** One row per investigator: diagnosis, repair, cost. */
export function headlineMatrix(groups: readonly Group[]): Html {
  const [, ...columns] = HEADLINE;
  return tableOf(
    headerOf(HEADLINE.map(([name]) => name)),
    groups.map((group) =>
      rowOf(
        nameOf(group),
        columns.map(([, text]) => text(group)),
      ),
    ),
  );
}

/** Explains the kinds of investigators in a table. */
export function kindsOf(groups: readonly Group[]): string {
  const present = KINDS.filter((kind) => groups.some((group) => group.kind === kind));
  return present.map((kind) => `${kind}: ${KIND_MEANINGS[kind]}`).join("; ");
}

/** Right diagnoses of each investigator by scenario, and the rubric's points. */
export function scenarioMatrix(groups: readonly Group[], runs: readonly ReportRun[]): Html {
  const scenarios = [
    ...new Map(
      groups.flatMap(({ cells }) => cells.map((cell) => [cell.scenario, cell.control] as const)),
    ),
  ];
  const titleOf = (scenario: string): string =>
    runs.find(({ manifest }) => manifest.scenario === scenario)?.manifest.title ?? "";
  const rows = scenarios.map(
    ([scenario, control]) =>
      html`<tr>
        <th scope="row">
          <a href="#${groups[0]?.isolation ?? ""}-${scenario}">${scenario}</a>
          <div class="about">
            ${titleOf(scenario)}${control && !titleOf(scenario).startsWith("Control") ? " (control)" : ""}
          </div>
        </th>
        ${groups.map(({ cells }) => cellOf(cells.find((cell) => cell.scenario === scenario)))}
        <td class="dim">${referenceOf(scenario)}</td>
      </tr>`,
  );
  const reference = html`<th scope="col" class="dim">reference (${REFERENCE_TOTAL} points)</th>`;
  return tableOf(headerOf(["", ...groups.map(nameOf)], [reference]), rows);
}

function referenceOf(scenario: string): string {
  const known = REFERENCE[scenario];
  return known === undefined ? "" : `${known.points}/${known.max} points`;
}

function cellOf(cell: Cell | undefined): Html {
  if (cell === undefined) return html`<td>–</td>`;
  const { n, correct, abstained, agent_failures, mean_points, max_points } = cell;
  const lost = cell.invalid + cell.defects;
  if (n === 0) return html`<td class="bad">no valid run of ${lost}</td>`;
  const mood = correct === n ? "good" : correct > 0 ? "fair" : "bad";
  const unknown = abstained === 0 ? "" : `, ${abstained} unknown`;
  const failures = agent_failures === 0 ? "" : `, ${agent_failures} without an answer`;
  const invalid = lost === 0 ? "" : `, ${lost} more invalid`;
  return html`<td class="${mood}">
    ${correct}/${n} right
    <span class="dim"
      >(${Number((mean_points ?? 0).toFixed(2))}/${max_points ?? 0}
      points${unknown}${failures}${invalid})</span
    >
  </td>`;
}

/** The partial scores, the calibration and the causes of failures. */
export function detailsMatrix(groups: readonly Group[]): Html {
  const columns = groups.map((group) => [
    ...detailRows(group.details, estimateText),
    ...CALIBRATION_FIGURES.map(([name, text]) => [name, text(group)] as const),
    ["citations that hold", `${group.grounded} of ${group.grounded + group.invented}`] as const,
  ]);
  const rows = (columns[0] ?? []).map(([name], i) =>
    rowOf(
      name,
      columns.map((column) => column[i]?.[1] ?? ""),
    ),
  );
  return tableOf(headerOf(["", ...groups.map(nameOf)]), rows);
}

/** The paired tests on shared incidents. */
export function comparisonMatrix(
  comparisons: readonly Comparison[],
  groups: readonly Group[],
): Html {
  if (comparisons.length === 0)
    return html`<p class="dim">No two investigators examined the same incident.</p>`;
  const head = ["", "shared incidents", "first better", "second better", "p (exact sign test)"];
  return tableOf(
    headerOf(head),
    comparisons.map((comparison) => {
      const [name = "", ...values] = comparisonRow(comparison, groups);
      return rowOf(name, values);
    }),
  );
}
