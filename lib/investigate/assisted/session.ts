/**
 * One investigation: contrast, choice, refutation, second choice, and a report with valid
 * citations.
 */
import { asError } from "../../base/errors.ts";
import type { Answer, Citation } from "../../contract/answer.ts";
import { FAULTS } from "../faults/registry.ts";
import { actionFor, assembleAnswer, plainMechanism, unsureAnswer } from "../hypotheses/assemble.ts";
import { gather } from "../hypotheses/gather.ts";
import { CaseFile } from "./case-file.ts";
import { citationsOfChecks, joinCitations } from "../hypotheses/citations.ts";
import { sortCitations } from "./citations.ts";
import { computeConfidence } from "./confidence.ts";
import { ModelFailure } from "../model/failure.ts";
import { findOnset } from "../hypotheses/onset.ts";
import { type Report, reportPrompt, reportSchema, systemPrompt } from "./prompt.ts";
import { confirmedClaims, type Hypothesis, nameOf, testRivals } from "../hypotheses/refute.ts";
import { Rounds, type Standing } from "./rounds.ts";
import type { SessionOptions } from "./session-options.ts";
import { isSentence } from "../model/text.ts";

const REPORT_TOKENS = 420;

/** One investigation; call `run` once. */
export class Session {
  readonly #options: SessionOptions;
  readonly #file: CaseFile;
  readonly #system = systemPrompt();
  readonly #rounds: Rounds;
  struck = 0;

  constructor(options: SessionOptions) {
    this.#options = options;
    this.#file = new CaseFile({ contrast: options.contrast });
    this.#rounds = new Rounds(options, this.#file, this.#system);
  }

  /** Facts of this investigation for the manifest. */
  details(): Record<string, unknown> {
    return {
      rows_cut: this.#rounds.cutRows,
      own_queries: this.#rounds.queries,
      refuted: this.#rounds.refuted.map(({ hypothesis }) => nameOf(hypothesis)),
    };
  }

  /** Throws ModelFailure when the model gave nothing to build an answer on. */
  async run(): Promise<Answer> {
    const { transcript } = this.#options.input;
    transcript.phase("Planning", "contrast over the whole topology first");
    transcript.phase("Gathering evidence");
    await this.#gather();
    const standing = await this.#rounds.run();
    if (standing === null) return unsureAnswer(this.#rounds.refuted, this.#rounds.mostNamed(), []);
    return this.#report(standing);
  }

  async #gather(): Promise<void> {
    const { tools, input } = this.#options;
    for (const call of await gather(tools, input.transcript)) this.#file.add(call);
    if (this.#file.rows.length === 0) {
      this.#rounds.notes.push("No telemetry could be read.");
    }
  }

  async #report(standing: Standing): Promise<Answer> {
    const { input, tools, refutation, spending, nowMs } = this.#options;
    const { hypothesis, choice, verdict } = standing;
    const checks = verdict?.checks ?? [];
    const onsetMs =
      hypothesis.faultClass === "none"
        ? null
        : await findOnset(hypothesis.service, checks, input.alert, nowMs, tools);
    const rivals = refutation ? await testRivals(hypothesis, tools) : [];
    const confirmed = verdict === undefined ? [] : confirmedClaims(verdict);
    const { report, citations } = await this.#write(hypothesis, confirmed);
    const confidence = computeConfidence({
      verdict,
      rivals,
      stated: choice.sure_percent / 100,
      rounds: spending.rounds,
      struck: this.struck,
      consistent: FAULTS[hypothesis.faultClass].states.includes(choice.state),
    });
    input.transcript.note(`confidence ${Math.round(confidence * 100)}`);
    return assembleAnswer(
      {
        hypothesis,
        onsetMs,
        mechanism: this.#mechanism(report, hypothesis, confirmed),
        action: actionFor(hypothesis, report?.action),
        citations: joinCitations(citationsOfChecks(checks, tools.records), citations),
        confidence,
        rivals: [...this.#rounds.refuted, ...rivals.filter(({ refuted }) => refuted)].filter(
          (rival) => nameOf(rival.hypothesis) !== nameOf(hypothesis),
        ),
        effectOn: (service) => this.#file.greatestChange(service) ?? "its input changed",
      },
      input.alert,
    );
  }

  /** The model's text if it is a sentence, else the confirmed claims. */
  #mechanism(report: Report | null, hypothesis: Hypothesis, confirmed: readonly string[]): string {
    if (report !== null) {
      if (isSentence(report.mechanism)) return report.mechanism;
      this.#options.input.transcript.note(`no sentence: ${JSON.stringify(report.mechanism)}`);
    }
    return plainMechanism(hypothesis, confirmed);
  }

  /**
   * Asks for the report. Invalid citations are returned to the model once, then removed and
   * counted.
   */
  async #write(
    hypothesis: Hypothesis,
    confirmed: readonly string[],
  ): Promise<{ report: Report | null; citations: readonly Citation[] }> {
    const { input, tools } = this.#options;
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
      // The diagnosis is valid without the model's text. Only an abort by the caller is thrown.
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
    return this.#options.client.ask({
      name: "report",
      system: this.#system,
      user: reportPrompt(this.#rounds.base, hypothesis, confirmed, sentBack),
      schema: reportSchema(hypothesis.faultClass, this.#rounds.shownRows),
      maxTokens: REPORT_TOKENS,
    });
  }
}
