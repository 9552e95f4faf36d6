/**
 * Renders the report: one file that works offline, in light and dark mode, for readers who do not
 * know the project.
 */
import type { Manifest } from "../run-record.ts";
import { RUBRIC_REMARK } from "../reference.ts";
import type { Group, Summary } from "../summary.ts";
import { ESTIMATE_METHOD, nameOf } from "../tables.ts";
import { calibrationPlot, riskPlot } from "./charts.ts";
import { html, Html } from "./html.ts";
import {
  comparisonMatrix,
  detailsMatrix,
  headlineMatrix,
  kindsOf,
  scenarioMatrix,
} from "./matrix.ts";
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
      and the system then fulfilled the conditions of its recovery. ${countsOf(runs)}
    </p>
    <details open>
      <summary>Words used here</summary>
      <dl>
        <dt>investigator</dt>
        <dd>
          Who looked for the cause. An <b>agent</b>, such as <b>react</b>, <b>opensre</b>,
          <b>exec</b> or <b>mcp</b>, decides by itself. An <b>assisted</b> one is a language model
          between rules that test and refute its choices. <b>baseline</b> is the rules alone: it
          holds what each kind of fault entails against the telemetry. A <b>floor</b> needs no
          thought: a guess, or whatever changed last or most.
        </dd>
        <dt>diagnosis</dt>
        <dd>
          Culprit and kind of fault together. An answer names every fault that it sees: it is worth
          nothing when one is missed, else the share of the named ones that is right. Where nothing
          is wrong, only an answer that names nothing is right.
        </dd>
        <dt>abstained</dt>
        <dd>The answer was "unknown". That is never a part of a right diagnosis.</dd>
        <dt>repaired</dt>
        <dd>The proposed remedy was carried out and repaired the system; – where none was.</dd>
        <dt>rubric</dt>
        <dd>
          The reference's points: one for the right service, one for each expected piece of evidence
          that is cited and that the recorded answer bears out, one for the right remedy; one or two
          off for blaming what is innocent, one off for each source that was made up.
        </dd>
        <dt>control</dt>
        <dd>
          A run in which nothing is wrong when the investigator looks, whatever the alert says.
        </dd>
        <dt>mechanism shown</dt>
        <dd>Right, and citing the evidence that shows how the fault works.</dd>
        <dt>evidence cited (F1)</dt>
        <dd>
          1 when each expected piece of evidence is cited and nothing else is. Missing pieces and
          more citations than needed lower it.
        </dd>
        <dt>Brier score</dt>
        <dd>
          How far the stated confidence was from the truth, over all examinations: 0 is right and
          certain, 1 is naming nothing, 2 is wrong and certain. The skill compares it with a
          forecast that knows only how often each diagnosis occurs: above 0 is better than that.
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
    <p class="dim">${ESTIMATE_METHOD} Kinds: ${kindsOf(groups)}. ${RUBRIC_REMARK}</p>
    ${headlineMatrix(groups)}
    <h3>By scenario</h3>
    <p class="dim">
      How many runs were right; in brackets, the mean points of the rubric. The last column is
      another agent, measured once on other hardware: OpenSRE v2026.4.25 with qwen2.5:7b.
    </p>
    ${scenarioMatrix(groups, runs)}
    <h3>The score in its parts</h3>
    ${detailsMatrix(groups)}
    <h3>On the same incidents</h3>
    <p class="dim">
      Pairs of investigators on the incidents that both examined. The p-values are not corrected for
      the number of pairs.
    </p>
    ${comparisonMatrix(
      summary.comparisons.filter((pair) => pair.isolation === isolation),
      groups,
    )}
    <h3>Calibration</h3>
    <p class="dim">
      Above: answers grouped by the confidence they stated; a larger dot stands for more answers. On
      the dashed line, confidence means what it says; below it, the investigator was surer than it
      should have been. Below: of the surest answers, the share that was wrong. Where the line ends
      early, at the dashed one, there was no answer for the rest; an empty plot stands for no answer
      at all.
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
    ${calibrationPlot(group.calibration)} ${riskPlot(group.risk_coverage)}
  </figure>`;
}
