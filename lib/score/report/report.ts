/**
 * Renders the report: one file that works offline, in light and dark mode, for readers who do not
 * know the project.
 */
import type { Manifest } from "../run-record.ts";
import { ESTIMATE_METHOD, type Group, nameOf, type Summary } from "../summary.ts";
import { calibrationPlot } from "./charts.ts";
import { html, Html } from "./html.ts";
import { detailsMatrix, scoreMatrix } from "./matrix.ts";
import { type ReportRun, runSection } from "./run-section.ts";
import { STYLE } from "./style.ts";

export type { ReportRun } from "./run-section.ts";

type Isolation = Manifest["isolation"];

/** Runs of different isolation are not comparable, so each kind has its own tables and sections. */
const ISOLATIONS: Readonly<
  Record<Isolation, { readonly title: string; readonly meaning: string }>
> = {
  fresh: {
    title: "Fresh system and fresh telemetry for every run",
    meaning: "Nothing in the metrics, logs and traces is older than the run itself.",
  },
  "keep-telemetry": {
    title: "Fresh system, telemetry of earlier runs kept",
    meaning:
      "As in production, metrics, logs and traces still hold what happened before; these runs are never counted together with the others.",
  },
};

export function renderReport(summary: Summary, runs: readonly ReportRun[]): string {
  const present = (Object.keys(ISOLATIONS) as Isolation[]).filter((isolation) =>
    summary.groups.some((group) => group.isolation === isolation),
  );
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
          ${introduction(runs)} ${present.map((isolation) => part(isolation, summary, runs))}
        </main>
      </body>
    </html> `;
  return page.text;
}

function introduction(runs: readonly ReportRun[]): Html {
  return html`<p>
      The system under test is a simulated air-defence command system: three sensors, track fusion,
      threat evaluation, command, effectors and a display, eight services that talk only over DDS
      and emit metrics, logs and traces. Each run broke it in a known way, waited until an alert
      really fired, handed the alert to an investigator, and scored the root-cause analysis that
      came back against what had really been done.
    </p>
    <p>
      A run counts only if the fault was proven to be in force before and after the investigation
      and the system was proven to have recovered. ${countsOf(runs)}
    </p>
    <details open>
      <summary>Words used here</summary>
      <dl>
        <dt>investigator</dt>
        <dd>
          Who looked for the cause. <b>baseline</b> needs no model: it holds what each kind of fault
          entails against the telemetry. <b>constant</b> and <b>loudest</b> are floors that need no
          thought: always the same answer, and the alert's service with whatever changed most.
          <b>ollama</b> is a language model; <b>opensre</b>, <b>exec</b> and <b>mcp</b> are other
          agents.
        </dd>
        <dt>points</dt>
        <dd>
          One for the right service, one for each expected piece of evidence that is cited and that
          the recorded answer bears out, one for the right remedy; one or two off for blaming what
          is innocent, one off for each source that was made up.
        </dd>
        <dt>right</dt>
        <dd>Both the service and the kind of fault are right.</dd>
        <dt>control</dt>
        <dd>
          A run in which nothing is wrong when the investigator looks, whatever the alert says.
        </dd>
        <dt>mechanism shown</dt>
        <dd>Right, and citing the evidence that shows how the fault works.</dd>
        <dt>Brier score</dt>
        <dd>
          The mean squared distance between stated confidence and the truth, lower is better: 0 is
          perfect, 0.25 is what always saying 50 % gets.
        </dd>
      </dl>
    </details>`;
}

function countsOf(runs: readonly ReportRun[]): Html {
  const valid = runs.filter(({ manifest }) => manifest.outcome.kind === "valid").length;
  const retried = runs.filter(({ manifest }) => manifest.attempts > 1).length;
  const rest = runs.length - valid;
  return html`${valid} of ${runs.length} runs are
  valid${rest === 0 ? "." : `; the other ${rest} are shown below with what went wrong, and count for nothing.`}
  ${retried === 0 ? "" : `The environment of ${retried} had to be tried a second time.`}`;
}

function part(isolation: Isolation, summary: Summary, all: readonly ReportRun[]): Html {
  const groups = summary.groups.filter((group) => group.isolation === isolation);
  const runs = all.filter(({ manifest }) => manifest.isolation === isolation);
  const { title, meaning } = ISOLATIONS[isolation];
  return html`<h2>${title}</h2>
    <p class="dim">${meaning}</p>
    <h3>Scores</h3>
    <p class="dim">
      Mean points of the points that can be had; in brackets, how many runs were right. The last
      column is another agent, measured once on other hardware: OpenSRE v2026.4.25 with qwen2.5:7b.
      ${ESTIMATE_METHOD}
    </p>
    ${scoreMatrix(groups, runs)}
    <h3>The score in its parts</h3>
    ${detailsMatrix(groups)}
    <h3>Calibration</h3>
    <p class="dim">
      Answers grouped by the confidence they stated; a larger dot stands for more answers. On the
      dashed line, confidence means what it says; below it, the investigator was surer than it
      should have been.
    </p>
    <div class="row">${groups.map(calibrationOf)}</div>
    <h3>Runs</h3>
    <p class="dim">
      The curve is the metric that tells the story of the scenario. Events: <b>fault in</b>,
      <b>signature</b> (the fault's own effect is proven), <b>pending</b> (the alert's condition
      holds), <b>firing</b> (it has held as long as the rule wants), <b>investigated</b>,
      <b>healed</b>, <b>recovered</b> (the alert is gone and the system is healthy).
    </p>
    ${runs.map((run, i) => runSection(run, isFirstOf(run, i, runs) ? idOf(run) : null))}`;
}

/** Whether it is the first run of its scenario, to which the table links. */
const isFirstOf = ({ manifest }: ReportRun, i: number, runs: readonly ReportRun[]): boolean =>
  runs.findIndex((run) => run.manifest.scenario === manifest.scenario) === i;

const idOf = ({ manifest }: ReportRun): string => `${manifest.isolation}-${manifest.scenario}`;

function calibrationOf(group: Group): Html {
  return html`<figure>
    <figcaption>${nameOf(group)}</figcaption>
    ${calibrationPlot(group.calibration)}
  </figure>`;
}
