/** Draws the report: one file that works offline, in light and dark, for a reader who has never seen the project. */
import type { Answer, EvidenceRecord } from "../../contract/answer.ts";
import type { Manifest } from "../run-record.ts";
import type { Cell, Group, Summary } from "../summary.ts";
import { calibrationPlot, timeline } from "./charts.ts";
import { html, Html } from "./html.ts";
import { STYLE } from "./style.ts";

/** A run with what belongs to it. */
export interface ReportRun {
  readonly manifest: Manifest;
  readonly answer: Answer | null;
  readonly evidence: readonly EvidenceRecord[];
}

/** Longest answer of a call that the report shows; the whole one is in evidence.jsonl. */
const ANSWER_CHARACTERS = 4000;

/** What OpenSRE v2026.4.25 with qwen2.5:7b scored, one run each, on an 8-core laptop with a 6 GB GPU. */
const REFERENCE: Readonly<Record<string, string>> = {
  "sensor-down": "1/3",
  "fusion-cpu-starvation": "1/4",
  "message-flood": "3/5",
  "network-partition": "1/4",
  "dds-qos-mismatch": "2/5",
  "memory-leak": "1/5",
};

export function renderReport(summary: Summary, runs: readonly ReportRun[]): string {
  const page = html`<!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <title>How well was it diagnosed?</title>
        <style>
          ${new Html(STYLE)}
        </style>
      </head>
      <body>
        <main>
          <h1>How well was it diagnosed?</h1>
          <p>
            Each run broke a simulated distributed system in a known way, waited until an alert
            really fired, handed the alert to an investigator, and scored the root-cause analysis
            that came back. A run counts only if the fault was proven to be in force before and
            after the investigation, and the system's recovery was proven too. ${countsOf(runs)}
          </p>
          <h2>Scores</h2>
          <p class="dim">
            Mean points of the points that can be had; in brackets, how many runs named both the
            right service and the right kind of fault. The last column is another agent, measured
            once on other hardware: OpenSRE v2026.4.25 with qwen2.5:7b.
          </p>
          ${matrix(summary)}
          <p class="dim">
            Intervals are 95 %, clustered by scenario: repeats of one scenario are not independent.
            The Brier score is the mean squared distance between stated confidence and the truth: 0
            is perfect, 0.25 is what a coin would get.
          </p>
          <h2>Calibration</h2>
          <p class="dim">
            Answers grouped by the confidence they stated. On the dashed line, confidence means what
            it says; below it, the investigator was surer than it should have been.
          </p>
          <div class="row">${summary.groups.map(calibrationOf)}</div>
          <h2>Runs</h2>
          ${runs.map(runSection)}
        </main>
      </body>
    </html> `;
  return page.text;
}

function countsOf(runs: readonly ReportRun[]): Html {
  const valid = runs.filter(({ manifest }) => manifest.outcome.kind === "valid").length;
  const rest = runs.length - valid;
  return html`${valid} of ${runs.length} runs are
  valid${rest === 0 ? "." : `; the other ${rest} are shown below with what went wrong, and count for nothing.`}`;
}

const nameOf = ({ investigator, isolation }: Group): string =>
  isolation === "fresh" ? investigator : `${investigator} (${isolation})`;

function matrix({ groups }: Summary): Html {
  const scenarios = [
    ...new Set(groups.flatMap(({ cells }) => cells.map(({ scenario }) => scenario))),
  ];
  const row = (name: string, value: (group: Group) => string, last = ""): Html =>
    html`<tr class="sum">
      <th scope="row">${name}</th>
      ${groups.map((group) => html`<td>${value(group)}</td>`)}
      <td>${last}</td>
    </tr>`;
  return html`<div class="scroll">
    <table>
      <thead>
        <tr>
          <th scope="col">scenario</th>
          ${groups.map((group) => html`<th scope="col">${nameOf(group)}</th>`)}
          <th scope="col" class="dim">reference</th>
        </tr>
      </thead>
      <tbody>
        ${scenarios.map(
          (scenario) =>
            html`<tr>
              <th scope="row"><a href="#${scenario}">${scenario}</a></th>
              ${groups.map(({ cells }) => cellOf(cells.find((cell) => cell.scenario === scenario)))}
              <td class="dim">${REFERENCE[scenario] ?? ""}</td>
            </tr>`,
        )}
        ${row("share of points", ({ share }) => interval(share), "9/26")}
        ${row("right diagnoses", ({ accuracy }) => interval(accuracy))}
        ${row("mechanism shown", ({ mechanism }) => interval(mechanism))}
        ${row("Brier score", ({ brier }) => (brier === null ? "–" : brier.toFixed(3)))}
        ${row("citations that hold", ({ grounded, invented }) => `${grounded} of ${grounded + invented}`)}
        ${row("time for one", ({ mean_wall_seconds }) => (mean_wall_seconds === null ? "–" : `${mean_wall_seconds.toFixed(1)} s`))}
        ${row("calls for one", ({ mean_tool_calls }) => (mean_tool_calls === null ? "–" : String(Math.round(mean_tool_calls))))}
        ${row("model tokens in all", ({ tokens }) => String(tokens))}
        ${row("valid runs", ({ valid, runs }) => `${valid} of ${runs}`)}
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
  return html`<td class="${mood}">
    ${Number(cell.mean_points.toFixed(2))}/${cell.max_points}
    <span class="dim">(${cell.correct}/${cell.n} right${failures})</span>
  </td>`;
}

function interval({ mean, low, high }: Group["share"]): string {
  if (Number.isNaN(mean)) return "–";
  const percent = (value: number): number => Math.round(Math.min(1, Math.max(0, value)) * 100);
  return `${percent(mean)} % (${percent(low)}–${percent(high)})`;
}

function calibrationOf(group: Group): Html {
  return html`<figure>
    <figcaption>${nameOf(group)}</figcaption>
    ${calibrationPlot(group.calibration)}
  </figure>`;
}

function runSection(
  { manifest, answer, evidence }: ReportRun,
  i: number,
  all: readonly ReportRun[],
): Html {
  const isFirst = all.findIndex((run) => run.manifest.scenario === manifest.scenario) === i;
  const { outcome, score } = manifest;
  const anchor = isFirst ? html` id="${manifest.scenario}"` : html``;
  const verdict =
    outcome.kind === "valid"
      ? html`<span class="${score?.correct === true ? "good" : "bad"}"
          >${score?.points ?? 0}/${score?.max ?? 0}</span
        >`
      : html`<span class="bad">${outcome.kind}</span>`;
  return html`<section${anchor}>
<h3>${manifest.scenario} <span class="dim">· ${manifest.investigator} · run ${manifest.repeat}</span> ${verdict}</h3>
<p>${manifest.title}. ${outcome.kind === "valid" ? html`Said: <b>${saidOf(manifest)}</b>. Right: <b>${truthOf(manifest)}</b>.` : html`${outcome.reason}`}</p>
<p class="dim">${manifest.metric.title}; the shaded span is the fault's.</p>
${timeline(manifest)}
${answer === null ? [] : [rca(manifest, answer)]}
${score === null ? [] : [points(manifest)]}
${evidence.length === 0 ? [] : [calls(manifest, answer, evidence)]}
</section>`;
}

const saidOf = ({ diagnosis, agent_failure }: Manifest): string =>
  diagnosis === null
    ? `nothing (${agent_failure ?? "no answer"})`
    : `${diagnosis.culprit ?? "no service"}, ${diagnosis.fault_class}`;
const truthOf = ({ truth }: Manifest): string =>
  `${truth.culprit ?? "no service"}, ${truth.fault_class}`;

function rca({ score }: Manifest, answer: Answer): Html {
  const onset = score?.onset_error_seconds ?? null;
  return html`<details>
    <summary>Root-cause analysis, ${Math.round(answer.confidence * 100)} % sure</summary>
    <p>${answer.mechanism}</p>
    <p>
      Remediation:
      ${answer.remediation.action}${answer.remediation.target === null ? "" : ` on ${answer.remediation.target}`}.
      ${answer.remediation.prose}
    </p>
    <p class="dim">
      Onset:
      ${answer.onset ?? "not said"}${onset === null ? "" : ` (${onset} s after the injection)`}.
    </p>
  </details>`;
}

function points({ score }: Manifest): Html {
  return html`<details>
    <summary>Points</summary>
    <table>
      <tbody>
        ${(score?.items ?? []).map(
          (item) =>
            html`<tr>
              <td>${item.points > 0 ? "+" : ""}${item.points}</td>
              <td>${item.id}</td>
              <td>${item.reason}</td>
            </tr>`,
        )}
      </tbody>
    </table>
  </details>`;
}

/** The calls that the answer cites, with what they asked and what came back. */
function calls(
  { run_id }: Manifest,
  answer: Answer | null,
  evidence: readonly EvidenceRecord[],
): Html {
  const cited = new Set(answer?.evidence.map(({ call_id }) => call_id));
  const shown = evidence.filter(({ id }) => cited.has(id));
  const citations = (answer?.evidence ?? []).map(
    ({ call_id, signal, service, value, claim }) =>
      html`<li>
        <a href="#${run_id}-${call_id}">${call_id}</a> ${signal} of ${service ?? "the system"} =
        ${value}: ${claim}
      </li>`,
  );
  return html`<details>
    <summary>Evidence: ${citations.length} citations, ${evidence.length} calls</summary>
    <ul>
      ${citations}
    </ul>
    ${shown.map(
      (record) =>
        html`<div class="call" id="${run_id}-${record.id}">
          <b>${record.id}</b> ${record.tool} <code>${JSON.stringify(record.arguments)}</code>
          ${record.request.slice(0, 1).map(({ url }) => html`<div class="dim"><code>${decoded(url)}</code></div>`)}
          <pre>
${record.answer.slice(0, ANSWER_CHARACTERS)}${record.answer.length > ANSWER_CHARACTERS ? " … (cut; the whole answer is in evidence.jsonl)" : ""}</pre>
        </div>`,
    )}
  </details>`;
}

function decoded(url: string): string {
  try {
    return decodeURIComponent(url.replaceAll("+", " "));
  } catch (error) {
    if (error instanceof URIError) return url;
    throw error;
  }
}
