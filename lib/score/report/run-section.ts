/** Renders one run: its events, its answer, its score and its evidence. */
import {
  type Answer,
  type Citation,
  describeFaults,
  type EvidenceRecord,
} from "../../contract/answer.ts";
import { checkCitation } from "../../contract/citation.ts";
import { FAULT_CLASSES } from "../../contract/fault-classes.ts";
import type { Manifest, Repair } from "../run-record.ts";
import { timeline } from "./charts.ts";
import { html, type Html } from "./html.ts";

/** A run with its answer and its recorded calls. */
export interface ReportRun {
  readonly manifest: Manifest;
  readonly answer: Answer | null;
  readonly evidence: readonly EvidenceRecord[];
}

/** Maximum length of a call's answer in the report; evidence.jsonl has the full one. */
const ANSWER_CHARACTERS = 4000;

/** Renders a run; only runs with an anchor `id` are open at first. */
export function runSection({ manifest, answer, evidence }: ReportRun, id: string | null): Html {
  const { outcome, score, metric } = manifest;
  const isValid = outcome.kind === "valid";
  const mood = score?.correct === true ? "good" : "bad";
  const verdict = isValid
    ? html`<span class="${mood}">${score?.points ?? 0}/${score?.max ?? 0}</span>`
    : html`<span class="bad">${outcome.kind}</span>`;
  const threshold =
    metric.threshold === null ? "" : `; dashed: where the alert's rule draws the line`;
  return html`<details class="run" ${id === null ? [] : [html`id="${id}" open`]}>
    <summary>
      <b>${manifest.scenario}</b>
      <span class="dim"
        >· ${manifest.investigator}${manifest.details["unconfined"] === true ? " (unconfined)" : ""}
        · run ${manifest.repeat}</span
      >
      ${verdict}
    </summary>
    <p>
      ${manifest.title}.
      ${isValid ? said(manifest) : html`<span class="bad">No measurement: ${outcome.reason}</span>`}
    </p>
    ${manifest.earlier_attempts.map(({ phase, reason }) => html`<p class="dim">An earlier try failed in phase ${phase}: ${reason}</p>`)}
    <p class="dim">${metric.title}; shaded: the fault is in force${threshold}.</p>
    ${timeline(manifest)}
    <p class="dim">${costOf(manifest)}</p>
    ${answer === null ? [] : [rca(manifest, answer)]} ${score === null ? [] : [points(manifest)]}
    ${manifest.repair === null ? [] : [remedy(manifest.repair)]}
    ${answer === null && evidence.length === 0 ? [] : [calls(manifest, answer, evidence)]}
  </details>`;
}

function said({ diagnosis, truth, agent_failure, score }: Manifest): Html {
  const definitions = truth.flatMap(({ fault_class }) =>
    fault_class === "unknown" ? [] : [FAULT_CLASSES[fault_class].definition],
  );
  const meaning = definitions.join("; ") || FAULT_CLASSES.none.definition;
  const right = html`<b>${describeFaults(truth)}</b> (${meaning})`;
  if (diagnosis === null) {
    return html`Said nothing: ${agent_failure ?? "no answer"}. What is right: ${right}.`;
  }
  const what = html`<b>${describeFaults(diagnosis)}</b>`;
  return score?.correct === true
    ? html`Said ${what}, which is right: ${meaning}.`
    : html`Said ${what}. What is right: ${right}.`;
}

function costOf({ cost, versions }: Manifest): string {
  if (cost === null) return "Nobody investigated.";
  const tokens = cost.promptTokens + cost.completionTokens;
  const model =
    cost.modelCalls === 0
      ? "no model"
      : `${cost.modelCalls} model calls with ${tokens} tokens in ${(cost.modelMs / 1000).toFixed(1)} s, ${cost.rounds} rounds`;
  const runtime = versions["bun"] === undefined ? "" : ` Bun ${versions["bun"]}.`;
  return `The investigation took ${(cost.wallMs / 1000).toFixed(1)} s: ${cost.toolCalls} tool calls, ${model}.${runtime}`;
}

function rca({ score }: Manifest, answer: Answer): Html {
  const onset = score?.onset_error_seconds ?? null;
  return html`<details>
    <summary>Root-cause analysis, ${Math.round(answer.confidence * 100)} % sure</summary>
    <p>${answer.mechanism}</p>
    ${
      answer.causal_chain.length === 0
        ? []
        : [
            html`<ol>
              ${answer.causal_chain.map(({ service, effect }) => html`<li><b>${service}</b>: ${effect}</li>`)}
            </ol>`,
          ]
    }
    ${answer.faults.map(
      ({ remediation: { action, target, prose } }) =>
        html`<p>Remedy: ${action}${target === null ? "" : ` on ${target}`}. ${prose}</p>`,
    )}
    ${
      answer.alternatives.length === 0
        ? []
        : [
            html`<p>Ruled out:</p>
              <ul>
                ${answer.alternatives.map((other) => html`<li>${other.service ?? "no service"}, ${other.fault_class}: ${other.ruled_out_by}</li>`)}
              </ul>`,
          ]
    }
    <p class="dim">
      Onset:
      ${answer.onset ?? "not said"}${onset === null ? "" : ` (${onset} s after the injection)`}.
    </p>
  </details>`;
}

function points({ score }: Manifest): Html {
  return html`<details>
    <summary>Points, one by one</summary>
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

/** Shows the effect of the remedies, verdict by verdict. */
function remedy({ repaired, acts, refused, verdicts }: Repair): Html {
  return html`<details>
    <summary>Remedy carried out: ${repaired ? "repaired" : "not repaired"}</summary>
    <p>Done: ${acts.join("; ") || "nothing"}.</p>
    ${refused.map((why) => html`<p class="dim">Not possible: ${why}.</p>`)}
    <table>
      <tbody>
        ${Object.entries(verdicts).map(
          ([name, { holds, seen }]) =>
            html`<tr>
              <td>${holds === null ? "–" : holds ? "yes" : "no"}</td>
              <td>${name.replaceAll("_", " ")}</td>
              <td>${seen}</td>
            </tr>`,
        )}
      </tbody>
    </table>
  </details>`;
}

/** The citations of the answer, and the cited calls with request and answer. */
function calls(
  { run_id }: Manifest,
  answer: Answer | null,
  evidence: readonly EvidenceRecord[],
): Html {
  const citations = answer?.evidence ?? [];
  const cited = new Set(citations.map(({ call_id }) => call_id));
  const shown = evidence.filter(({ id }) => cited.has(id));
  const dropped = evidence.length === 0 ? "; the record of the calls is not kept here" : "";
  return html`<details>
    <summary>Evidence: ${citations.length} citations, ${evidence.length} calls${dropped}</summary>
    ${citations.length === 0 ? [] : [citationTable(run_id, citations, evidence)]}
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

function citationTable(
  runId: string,
  citations: readonly Citation[],
  evidence: readonly EvidenceRecord[],
): Html {
  const rows = citations.map((citation) => {
    const { call_id, signal, service, value, claim } = citation;
    const check = evidence.length === 0 ? undefined : checkCitation(citation, evidence);
    const verdict =
      check === undefined
        ? html``
        : check.grounded
          ? html`<span class="good">as recorded</span>
              <span class="dim">(${check.fact.when})</span>`
          : html`<span class="bad">not in the record: ${check.reason}</span>`;
    const call = evidence.some(({ id }) => id === call_id)
      ? html`<a href="#${runId}-${call_id}">${call_id}</a>`
      : html`${call_id}`;
    return html`<tr>
      <td>${call}</td>
      <td><code>${signal}</code> of ${service ?? "the system"} = ${value}</td>
      <td>${claim}</td>
      <td>${verdict}</td>
    </tr>`;
  });
  return html`<div class="scroll">
    <table>
      <thead>
        <tr>
          <th scope="col">call</th>
          <th scope="col">what it reads</th>
          <th scope="col">what it is said to show</th>
          <th scope="col">checked</th>
        </tr>
      </thead>
      <tbody>
        ${rows}
      </tbody>
    </table>
  </div>`;
}

function decoded(url: string): string {
  try {
    return decodeURIComponent(url.replaceAll("+", " "));
  } catch (error) {
    if (error instanceof URIError) return url;
    throw error;
  }
}
