/** Renders the tables of the report: one column per investigator. */
import { detailRows } from "../details.ts";
import { type Cell, estimateText, type Group, GROUP_FIGURES, nameOf } from "../summary.ts";
import { html, type Html } from "./html.ts";
import type { ReportRun } from "./run-section.ts";

/**
 * Scores of OpenSRE v2026.4.25 with qwen2.5:7b, one run each, on an 8-core laptop with a 6 GB GPU.
 */
const REFERENCE: Readonly<Record<string, string>> = {
  "sensor-down": "1/3",
  "fusion-cpu-starvation": "1/4",
  "message-flood": "3/5",
  "network-partition": "1/4",
  "dds-qos-mismatch": "2/5",
  "memory-leak": "1/5",
};

const header = (groups: readonly Group[], last: Html[]): Html =>
  html`<thead>
    <tr>
      <th scope="col"></th>
      ${groups.map((group) => html`<th scope="col">${nameOf(group)}</th>`)} ${last}
    </tr>
  </thead>`;

const row = (name: string, values: readonly string[], last: Html = html``): Html =>
  html`<tr class="sum">
    <th scope="row">${name}</th>
    ${values.map((value) => html`<td>${value}</td>`)} ${last}
  </tr>`;

/** Longer names of figures, for readers without context. */
const NOTES: Readonly<Record<string, string>> = { "Brier score": "Brier score (lower is better)" };

/** The scores by scenario, and the figures that sum each investigator up. */
export function scoreMatrix(groups: readonly Group[], runs: readonly ReportRun[]): Html {
  const scenarios = [
    ...new Map(
      groups.flatMap(({ cells }) => cells.map((cell) => [cell.scenario, cell.control] as const)),
    ),
  ];
  const titleOf = (scenario: string): string =>
    runs.find(({ manifest }) => manifest.scenario === scenario)?.manifest.title ?? "";
  return html`<div class="scroll">
    <table>
      ${header(groups, [html`<th scope="col" class="dim">reference</th>`])}
      <tbody>
        ${scenarios.map(
          ([scenario, control]) =>
            html`<tr>
              <th scope="row">
                <a href="#${groups[0]?.isolation ?? ""}-${scenario}">${scenario}</a>
                <div class="about">
                  ${titleOf(scenario)}${control && !titleOf(scenario).startsWith("Control") ? " (control)" : ""}
                </div>
              </th>
              ${groups.map(({ cells }) => cellOf(cells.find((cell) => cell.scenario === scenario)))}
              <td class="dim">${REFERENCE[scenario] ?? ""}</td>
            </tr>`,
        )}
        ${GROUP_FIGURES.map(([name, text]) =>
          row(
            NOTES[name] ?? name,
            groups.map(text),
            name === "share of points" ? html`<td>9/26</td>` : html`<td></td>`,
          ),
        )}
      </tbody>
    </table>
  </div>`;
}

/** The parts of the score, the causes of failures, and the cost. */
export function detailsMatrix(groups: readonly Group[]): Html {
  const columns = groups.map(({ details }) => detailRows(details, estimateText));
  const costs: readonly (readonly [string, (group: Group) => string])[] = [
    ["citations that hold", ({ grounded, invented }) => `${grounded} of ${grounded + invented}`],
    [
      "time for one",
      ({ mean_wall_seconds: mean }) => (mean === null ? "–" : `${mean.toFixed(1)} s`),
    ],
    ["tool calls for one", ({ mean_tool_calls: n }) => (n === null ? "–" : String(Math.round(n)))],
    ["model tokens in all", ({ tokens }) => String(tokens)],
  ];
  return html`<div class="scroll">
    <table>
      ${header(groups, [])}
      <tbody>
        ${(columns[0] ?? []).map(([name], i) =>
          row(
            name,
            columns.map((column) => column[i]?.[1] ?? ""),
          ),
        )}
        ${costs.map(([name, text]) => row(name, groups.map(text)))}
      </tbody>
    </table>
  </div>`;
}

function cellOf(cell: Cell | undefined): Html {
  if (cell === undefined) return html`<td>–</td>`;
  if (cell.mean_points === null || cell.max_points === null) {
    return html`<td class="bad">no valid run of ${cell.invalid + cell.defects}</td>`;
  }
  const share = cell.mean_points / cell.max_points;
  const mood = share >= 0.8 ? "good" : share >= 0.4 ? "fair" : "bad";
  const failures = cell.agent_failures === 0 ? "" : `, ${cell.agent_failures} without an answer`;
  const lost = cell.invalid + cell.defects;
  const invalid = lost === 0 ? "" : `, ${lost} more invalid`;
  return html`<td class="${mood}">
    ${Number(cell.mean_points.toFixed(2))}/${cell.max_points}
    <span class="dim">(${cell.correct}/${cell.n} right${failures}${invalid})</span>
  </td>`;
}
