/** One investigation: contrast, choice, refutation, choice again, and a report whose citations hold. */
import { asError } from "../../base/errors.ts";
import type { Answer, Citation } from "../../contract/answer.ts";
import type { FaultClass } from "../../contract/fault-classes.ts";
import type { ServiceName } from "../../contract/topology.ts";
import type { InvestigationInput } from "../investigator.ts";
import { actionFor, assembleAnswer, plainMechanism, unsureAnswer } from "./assemble.ts";
import type { Spending } from "./budget.ts";
import { CaseFile } from "./case-file.ts";
import { citationsOfChecks, joinCitations, sortCitations } from "./citations.ts";
import type { ModelClient } from "./client.ts";
import { computeConfidence } from "./confidence.ts";
import { ModelFailure } from "./failure.ts";
import { findOnset } from "./onset.ts";
import { PLANS } from "./plans.ts";
import {
  type Choice,
  choicePrompt,
  choiceSchema,
  hypothesisOf,
  queryPrompt,
  QuerySchema,
  type Report,
  reportPrompt,
  reportSchema,
  systemPrompt,
} from "./prompt.ts";
import {
  type Hypothesis,
  nameOf,
  refutationOf,
  testHypothesis,
  testRivals,
  type Verdict,
} from "./refute.ts";
import { harmless } from "./text.ts";
import type { Call, Toolbox } from "./toolbox.ts";

/** Rows that a table has at most: more of them made small models worse, not better. */
const MOST_ROWS = 28;
const MOST_QUERIES = 2;
const TOKENS = { choice: 120, query: 160, report: 420 };

export interface SessionOptions {
  readonly input: InvestigationInput;
  readonly client: ModelClient;
  readonly spending: Spending;
  readonly tools: Toolbox;
  /** Ablation: without it the values before the incident are not shown. */
  readonly contrast: boolean;
  /** Ablation: without it the first choice stands. */
  readonly refutation: boolean;
  readonly nowMs: number;
}

/** A choice that stands, and how it was tested. */
interface Standing {
  readonly hypothesis: Hypothesis;
  readonly choice: Choice;
  readonly verdict: Verdict | undefined;
}

/** One investigation; `run` once. */
export class Session {
  readonly #o: SessionOptions;
  readonly #file: CaseFile;
  readonly #system = systemPrompt();
  readonly #refuted: Verdict[] = [];
  readonly #refutations: string[] = [];
  readonly #notes: string[] = [];
  readonly #named: ServiceName[] = [];
  readonly #excluded = new Set<FaultClass>();
  #queries = 0;
  #unsure = 0;
  #base = "";
  #cutRows = 0;
  struck = 0;

  constructor(options: SessionOptions) {
    this.#o = options;
    this.#file = new CaseFile({ contrast: options.contrast });
  }

  /** Facts of this investigation for the manifest. */
  details(): Record<string, unknown> {
    return {
      rows_cut: this.#cutRows,
      own_queries: this.#queries,
      refuted: this.#refuted.map(({ hypothesis }) => nameOf(hypothesis)),
    };
  }

  /** Throws ModelFailure when the model gave nothing to build an answer on. */
  async run(): Promise<Answer> {
    const { transcript } = this.#o.input;
    transcript.phase("Planning", "contrast over the whole topology first");
    transcript.phase("Gathering evidence");
    await this.#gather();
    const standing = await this.#choose();
    if (standing === null) {
      const service = mostNamed(this.#named);
      return unsureAnswer(this.#refuted, service, []);
    }
    return this.#report(standing);
  }

  async #gather(): Promise<void> {
    const { tools, input } = this.#o;
    for (const [tool, args] of [
      ["inventory", {}],
      ["alerts", {}],
      ["compare", { service: "all" }],
    ] as const) {
      const call = await tools.call(tool, args);
      this.#file.add(call);
      const said = call.ok ? `${call.facts.length} facts` : `failed: ${call.error ?? ""}`;
      input.transcript.note(`${call.id} ${tool}: ${said}`);
    }
    if (this.#file.rows.length === 0) {
      this.#notes.push("No telemetry could be read.");
    }
  }

  /** Rounds of choice and refutation; null when the model stays unsure or everything is refuted. */
  async #choose(): Promise<Standing | null> {
    const { transcript } = this.#o.input;
    while (this.#o.spending.beginRound()) {
      const round = this.#o.spending.rounds;
      transcript.phase("Diagnosing", `round ${round}`);
      const standing = await this.#round(round);
      if (standing !== undefined) return standing;
      transcript.phase("Planning", "the diagnosis did not stand");
    }
    transcript.note("no round is left");
    return null;
  }

  /** One round; undefined asks for another one. */
  async #round(round: number): Promise<Standing | null | undefined> {
    const { client, input, refutation, tools } = this.#o;
    this.#compose();
    if (round > 1) await this.#offerQuery();
    const choice = await client.ask({
      name: "choose",
      system: this.#system,
      user: this.#base,
      schema: choiceSchema(this.#excluded),
      maxTokens: TOKENS.choice,
    });
    const hypothesis = hypothesisOf(choice);
    if (hypothesis === null) {
      input.transcript.note(`the model is unsure (${choice.service}, ${choice.fault_class})`);
      return ++this.#unsure > 1 || !refutation ? null : undefined;
    }
    if (hypothesis.service !== null) this.#named.push(hypothesis.service);
    const said = `chose ${nameOf(hypothesis)} (${choice.state}, ${choice.sure_percent} %)`;
    if (!refutation) {
      input.transcript.note(said);
      return { hypothesis, choice, verdict: undefined };
    }
    const verdict = await testHypothesis(hypothesis, tools);
    const against = verdict.refuted ? refutationOf(verdict) : await this.#specificRival(verdict);
    input.transcript.note(
      `${said}: ${against ?? `stands, ${Math.round(verdict.coverage * 100)} % confirmed`}`,
    );
    if (against === null) return { hypothesis, choice, verdict };
    this.#ruleOut(verdict, against);
    return undefined;
  }

  /** Keeps a refuted diagnosis; one that is named again can from then on not be named at all. */
  #ruleOut(verdict: Verdict, against: string): void {
    const name = nameOf(verdict.hypothesis);
    if (this.#refuted.some(({ hypothesis }) => nameOf(hypothesis) === name)) {
      this.#excluded.add(verdict.hypothesis.faultClass);
    }
    this.#refuted.push(verdict);
    if (!this.#refutations.includes(against)) this.#refutations.push(against);
  }

  /**
   * A class for which only generic claims speak does not stand while another class of the same service is confirmed
   * in full: by its definition it is what remains when nothing else explains the evidence.
   */
  async #specificRival(verdict: Verdict): Promise<string | null> {
    if (verdict.specific || verdict.hypothesis.service === null) return null;
    const rivals = await testRivals(verdict.hypothesis, this.#o.tools);
    const better = rivals.find(
      ({ refuted, specific, coverage }) => !refuted && specific && coverage === 1,
    );
    if (better === undefined) return null;
    const claims = confirmedClaims(better).slice(0, 3).join("; ");
    return `${nameOf(verdict.hypothesis)} is refuted: a class that says more holds, for ${claims}`;
  }

  #compose(): void {
    const { client, contrast, input } = this.#o;
    const frame = choicePrompt({
      alert: input.alert,
      table: "",
      contrast,
      refutations: this.#refutations,
      notes: this.#notes,
    });
    // The report's question comes after the same table, so room is left for the larger of the two answers.
    const room = client.roomFor(this.#system + frame, TOKENS.report + 500);
    const { text, cut } = this.#file.render(room, MOST_ROWS);
    if (cut > this.#cutRows) input.transcript.note(`${cut} lesser rows of the table are left out`);
    this.#cutRows = cut;
    this.#base = choicePrompt({
      alert: input.alert,
      table: text === "" ? "(nothing)" : text,
      contrast,
      refutations: this.#refutations,
      notes: this.#notes,
    });
  }

  /** Lets the model ask a query of its own; what comes back is part of the case, errors in full. */
  async #offerQuery(): Promise<void> {
    const { client, tools, input } = this.#o;
    if (this.#queries >= MOST_QUERIES) return;
    this.#queries++;
    try {
      const { tool, query } = await client.ask({
        name: "query",
        system: this.#system,
        user: queryPrompt(this.#base, ["promql", "logql", "traceql"]),
        schema: QuerySchema,
        maxTokens: TOKENS.query,
      });
      if (tool === "none" || query.trim() === "") return;
      const call = await this.#ownCall(tool, query);
      if (call !== null) this.#file.add(call);
    } catch (error) {
      // A model that cannot write a query may still choose.
      if (!(error instanceof ModelFailure) || error.kind === "budget") throw asError(error);
      input.transcript.note(`no query of its own: ${error.message}`);
    }
    this.#compose();
    input.transcript.note(`${tools.records.length} calls so far`);
  }

  async #ownCall(tool: string, query: string): Promise<Call | null> {
    const { tools, input } = this.#o;
    if (!["promql", "logql", "traceql"].includes(tool)) {
      const known = "promql, logql, traceql";
      this.#notes.push(`There is no tool ${harmless(tool)}; the tools are ${known}.`);
      input.transcript.note(`unknown tool ${JSON.stringify(tool)}`);
      return null;
    }
    const call = await tools.call(tool, { query });
    const said = call.ok ? `${call.facts.length} facts` : `failed: ${call.error ?? ""}`;
    input.transcript.note(`${call.id} ${tool} ${JSON.stringify(query)}: ${said}`);
    if (!call.ok)
      this.#notes.push(`Your ${tool} query failed: ${(call.error ?? "").slice(0, 400)}`);
    else if (call.facts.length === 0) this.#notes.push(`Your ${tool} query found nothing.`);
    return call;
  }

  async #report(standing: Standing): Promise<Answer> {
    const { input, tools, refutation, spending, nowMs } = this.#o;
    const { hypothesis, choice, verdict } = standing;
    const checks = verdict?.checks ?? [];
    const alertStartMs = Date.parse(input.alert.alerts[0]?.startsAt ?? "") || nowMs;
    const [onsetMs, rivals] = [
      await findOnset(checks, alertStartMs, nowMs, tools),
      refutation ? await testRivals(hypothesis, tools) : [],
    ];
    const confirmed = verdict === undefined ? [] : confirmedClaims(verdict);
    const { report, citations } = await this.#write(hypothesis, confirmed);
    const confidence = computeConfidence({
      verdict,
      rivals,
      stated: choice.sure_percent / 100,
      rounds: spending.rounds,
      struck: this.struck,
      consistent: PLANS[hypothesis.faultClass].states.includes(choice.state),
    });
    input.transcript.note(`confidence ${Math.round(confidence * 100)}`);
    return assembleAnswer(
      {
        hypothesis,
        verdict,
        onsetMs,
        mechanism: report?.mechanism ?? plainMechanism(hypothesis, confirmed),
        action: actionFor(hypothesis, report?.action),
        citations: joinCitations(citationsOfChecks(checks, tools.records), citations),
        confidence,
        ruledOut: [...this.#refuted, ...rivals.filter(({ refuted }) => refuted)],
      },
      input.alert,
      this.#file,
    );
  }

  /** Asks for the report; citations that fail are sent back once, then struck out and counted. */
  async #write(
    hypothesis: Hypothesis,
    confirmed: readonly string[],
  ): Promise<{ report: Report | null; citations: readonly Citation[] }> {
    const { input, tools } = this.#o;
    let report: Report | null = null;
    let complaints: readonly string[] = [];
    let citations: readonly Citation[] = [];
    try {
      for (let attempt = 0; attempt < 2; attempt++) {
        report = await this.#askReport(hypothesis, confirmed, complaints);
        const sorted = sortCitations(report.evidence, this.#file, tools.records);
        citations = sorted.good;
        complaints = sorted.complaints;
        if (complaints.length === 0) return { report, citations };
        input.transcript.note(`citations that do not hold: ${complaints.join("; ")}`);
      }
    } catch (error) {
      // The diagnosis stands without the model's prose; only the caller's stop goes on.
      if (!(error instanceof ModelFailure)) throw asError(error);
      input.transcript.note(`no report by the model: ${error.message}`);
    }
    this.struck += complaints.length;
    return { report, citations };
  }

  #askReport(
    hypothesis: Hypothesis,
    confirmed: readonly string[],
    complaints: readonly string[],
  ): Promise<Report> {
    const sentBack =
      complaints.length === 0
        ? []
        : ["These citations do not hold; correct or drop them:", ...complaints];
    return this.#o.client.ask({
      name: "report",
      system: this.#system,
      user: reportPrompt(this.#base, hypothesis, confirmed, sentBack),
      schema: reportSchema(hypothesis.faultClass),
      maxTokens: TOKENS.report,
    });
  }
}

function confirmedClaims({ checks }: Verdict): string[] {
  return checks
    .filter(({ outcome }) => outcome === "confirmed")
    .map(({ entailment, callId }) => `${entailment.claim} (${callId})`);
}

/** The service that most rounds agreed on; null when no two did. */
function mostNamed(named: readonly ServiceName[]): ServiceName | null {
  const counts = new Map<ServiceName, number>();
  for (const name of named) counts.set(name, (counts.get(name) ?? 0) + 1);
  const [best] = [...counts].toSorted(([, a], [, b]) => b - a);
  return best !== undefined && best[1] > 1 ? best[0] : null;
}
