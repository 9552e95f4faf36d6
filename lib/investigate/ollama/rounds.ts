/**
 * Rounds of choice and refutation. The model chooses from closed lists; the tools refute, and say where what it chose does hold;
 * the model chooses again from what is left. What cannot be is never offered twice.
 */
import type { FaultClass } from "../../contract/fault-classes.ts";
import { type ServiceName, SERVICES } from "../../contract/topology.ts";
import type { CaseFile } from "./case-file.ts";
import { offerQuery } from "./own-query.ts";
import {
  type Choice,
  choicePrompt,
  choiceSchema,
  classPrompt,
  classSchema,
  hypothesisOf,
} from "./prompt.ts";
import {
  type Anomaly,
  anomalyText,
  findAnomalies,
  type Hypothesis,
  nameOf,
  refutationOf,
  supportOf,
  testHypothesis,
  testRivals,
  type Verdict,
  whereElse,
} from "../hypotheses/refute.ts";
import type { SessionOptions } from "./session-options.ts";

/** Rows that a table has at most: more of them made small models worse, not better. */
const MOST_ROWS = 20;
const MOST_QUERIES = 2;
/** Before this round the model chooses from what it is shown; a query of its own costs it more than a choice. */
const FIRST_ROUND_WITH_QUERY = 3;
/** Tokens of an answer, and room that is left for the report after the same table. */
const TOKENS = { choice: 120, faultClass: 60, report: 920 };

const NOTHING_IS_WRONG = "no_service none is possible: nobody breaks what a healthy system entails";

/** A choice that stands, and how it was tested. */
export interface Standing {
  readonly hypothesis: Hypothesis;
  readonly choice: Choice;
  readonly verdict: Verdict | undefined;
}

/** The rounds of one investigation; `run` once. */
export class Rounds {
  readonly refuted: Verdict[] = [];
  /** Notes on the case for the model, such as that nothing could be read. */
  readonly notes: string[] = [];
  readonly #o: SessionOptions;
  readonly #file: CaseFile;
  readonly #system: string;
  readonly #refutations: string[] = [];
  readonly #named: ServiceName[] = [];
  readonly #excludedClasses = new Set<FaultClass>();
  readonly #excludedServices = new Set<ServiceName>();
  #bystanders: ReadonlySet<ServiceName> = new Set();
  #anomalies: readonly Anomaly[] | undefined;
  #unsure = 0;
  base = "";
  /** Numbers of the rows that `base` shows. */
  shownRows: readonly string[] = [];
  queries = 0;
  cutRows = 0;

  constructor(options: SessionOptions, file: CaseFile, system: string) {
    this.#o = options;
    this.#file = file;
    this.#system = system;
  }

  /** Null when the model stays unsure or everything is refuted. Throws ModelFailure. */
  async run(): Promise<Standing | null> {
    const { transcript } = this.#o.input;
    while (this.#o.spending.beginRound()) {
      const round = this.#o.spending.rounds;
      transcript.phase("Diagnosing", `round ${round}`);
      const standing = await this.#round(round);
      if (standing !== undefined) return standing;
      await this.#ruleOutBystanders();
      transcript.phase("Planning", "the diagnosis did not stand");
    }
    transcript.note("no round is left");
    return null;
  }

  /** The service that most rounds agreed on; null when no two did. */
  mostNamed(): ServiceName | null {
    const counts = new Map<ServiceName, number>();
    for (const name of this.#named) counts.set(name, (counts.get(name) ?? 0) + 1);
    const [best] = [...counts].toSorted(([, a], [, b]) => b - a);
    return best !== undefined && best[1] > 1 ? best[0] : null;
  }

  /** One round; undefined asks for another one. */
  async #round(round: number): Promise<Standing | null | undefined> {
    const { client, input, refutation, tools } = this.#o;
    this.#compose();
    if (round >= FIRST_ROUND_WITH_QUERY) await this.#offerQuery();
    const choice = await client.ask({
      name: "choose",
      system: this.#system,
      user: this.base,
      schema: choiceSchema(this.#offeredServices(), this.#excludedClasses),
      maxTokens: TOKENS.choice,
    });
    const hypothesis = hypothesisOf(choice);
    if (hypothesis === null) return this.#afterUnsure(choice);
    if (hypothesis.service !== null) this.#named.push(hypothesis.service);
    const said = `chose ${nameOf(hypothesis)} (${choice.state}, ${choice.sure_percent} %)`;
    if (!refutation) {
      input.transcript.note(said);
      return { hypothesis, choice, verdict: undefined };
    }
    const verdict = await testHypothesis(hypothesis, tools);
    const against = verdict.refuted ? refutationOf(verdict) : await this.#betterExplained(verdict);
    input.transcript.note(
      `${said}: ${against ?? `stands, ${Math.round(verdict.coverage * 100)} % confirmed`}`,
    );
    if (against === null) return { hypothesis, choice, verdict };
    return this.#afterRefutation(choice, verdict, against);
  }

  /**
   * A model that names a service but no class is asked which of those that telemetry leaves for it; one that stays unsure is
   * taken at its word.
   */
  async #afterUnsure(choice: Choice): Promise<Standing | null | undefined> {
    const { input, refutation, tools } = this.#o;
    const service = SERVICES.find((name) => name === choice.service);
    input.transcript.note(`the model is unsure (${choice.service}, ${choice.fault_class})`);
    if (!refutation) return null;
    if (service !== undefined) {
      const verdicts = await testRivals({ service, faultClass: "none" }, tools);
      const standing = await this.#chooseClass(choice, service, verdicts);
      if (standing !== undefined) return standing;
    }
    return ++this.#unsure > 1 ? null : undefined;
  }

  /** Says what is left: another class of the same service, else where the chosen class holds, else who shows something at all. */
  async #afterRefutation(
    choice: Choice,
    verdict: Verdict,
    against: string,
  ): Promise<Standing | undefined> {
    const { hypothesis } = verdict;
    this.refuted.push(verdict);
    if (hypothesis.service === null) {
      this.#excludedClasses.add("none");
      this.#ruleOut([`nothing is wrong is refuted`, ...(await this.#anomalyTexts())].join(": "));
      return undefined;
    }
    const rivals = await testRivals(hypothesis, this.#o.tools);
    const standing = await this.#chooseClass(choice, hypothesis.service, rivals);
    if (standing !== undefined) return standing;
    this.#excludedServices.add(hypothesis.service);
    const elsewhere = await whereElse(hypothesis, this.#o.tools);
    if (elsewhere.length === 0) this.#excludedClasses.add(hypothesis.faultClass);
    const hints = elsewhere.map((other) => `${nameOf(other.hypothesis)} is possible`);
    const anomalies = await this.#anomalyTexts();
    const healthy = anomalies.length > 0 ? anomalies : [NOTHING_IS_WRONG];
    this.#ruleOut([against, ...(hints.length > 0 ? hints : healthy)].join("; "));
    return undefined;
  }

  /**
   * While some services break what a healthy system entails, something is wrong, and no class stands for the others: both are taken off
   * the list at once, because a model that goes through them one by one is out of rounds before it is through.
   */
  async #ruleOutBystanders(): Promise<void> {
    const broken = new Set((await this.#findAnomalies()).map(({ service }) => service));
    if (broken.size === 0) return;
    this.#excludedClasses.add("none");
    const bystanders = SERVICES.filter((name) => !broken.has(name));
    if (this.#bystanders.size > 0 || bystanders.length === 0) return;
    this.#bystanders = new Set(bystanders);
    const names = bystanders.join(", ");
    this.#ruleOut(`${names}: nothing of their own is out of order`);
    this.#o.input.transcript.note(`ruled out, for nothing of their own: ${names}`);
  }

  /** The services that the model may name: bystanders only when nobody else is left. */
  #offeredServices(): ServiceName[] {
    const suspects = this.#suspects();
    if (suspects.length > 0) return suspects;
    return SERVICES.filter((name) => !this.#excludedServices.has(name));
  }

  #suspects(): ServiceName[] {
    return SERVICES.filter(
      (name) => !this.#excludedServices.has(name) && !this.#bystanders.has(name),
    );
  }

  /** Lets the model choose among the classes that telemetry leaves for a service; undefined when it wants another service. */
  async #chooseClass(
    choice: Choice,
    service: ServiceName,
    verdicts: readonly Verdict[],
  ): Promise<Standing | undefined> {
    const left = verdicts.filter(({ refuted, specific }) => !refuted && specific);
    const [only] = left;
    if (only === undefined) return undefined;
    const { client, input } = this.#o;
    const names = left.map(({ hypothesis }) => hypothesis.faultClass);
    const unsure = choice.fault_class === "unknown";
    const others = this.#suspects().filter((name) => name !== service);
    if (!unsure && left.length === 1 && others.length === 0) {
      input.transcript.note(
        `telemetry leaves ${names.join()} for ${service}, and no other service`,
      );
      return { hypothesis: only.hypothesis, choice, verdict: only };
    }
    const { fault_class: chosen } = await client.ask({
      name: "choose again",
      system: this.#system,
      user: classPrompt(
        this.base,
        service,
        left.map((verdict) => `${verdict.hypothesis.faultClass}: ${supportOf(verdict)}`),
      ),
      schema: classSchema(names, unsure),
      maxTokens: TOKENS.faultClass,
    });
    const verdict = left.find(({ hypothesis }) => hypothesis.faultClass === chosen);
    input.transcript.note(
      `telemetry leaves ${names.join(", ")} for ${service}; chose ${verdict === undefined ? chosen.replaceAll("_", " ") : chosen}`,
    );
    return verdict && { hypothesis: verdict.hypothesis, choice, verdict };
  }

  #ruleOut(against: string): void {
    if (!this.#refutations.includes(against)) this.#refutations.push(against);
  }

  /**
   * A class for which only generic claims speak is by its definition what remains when nothing else explains the evidence. It
   * does not stand while another class of the same service is confirmed in full, nor when the service breaks nothing.
   */
  async #betterExplained(verdict: Verdict): Promise<string | null> {
    const { service } = verdict.hypothesis;
    if (verdict.specific || service === null) return null;
    const name = nameOf(verdict.hypothesis);
    const rivals = await testRivals(verdict.hypothesis, this.#o.tools);
    const better = rivals.find(
      ({ refuted, specific, coverage }) => !refuted && specific && coverage === 1,
    );
    if (better !== undefined) {
      return `${name} is refuted: a class that says more holds, for ${supportOf(better)}`;
    }
    const anomalies = await this.#findAnomalies();
    if (anomalies.some((anomaly) => anomaly.service === service)) return null;
    return `${name} is refuted: ${service} shows nothing of its own`;
  }

  async #anomalyTexts(): Promise<string[]> {
    return (await this.#findAnomalies()).map(anomalyText);
  }

  async #findAnomalies(): Promise<readonly Anomaly[]> {
    this.#anomalies ??= await findAnomalies(this.#o.tools);
    return this.#anomalies;
  }

  #compose(): void {
    const { client, contrast, input } = this.#o;
    const question = {
      alert: input.alert,
      contrast,
      refutations: this.#refutations,
      notes: this.notes,
    };
    const frame = choicePrompt({ ...question, table: "" });
    const room = client.roomFor(this.#system + frame, TOKENS.report);
    const { text, shown, cut } = this.#file.render(room, MOST_ROWS);
    if (cut > this.cutRows) input.transcript.note(`${cut} lesser rows of the table are left out`);
    this.cutRows = cut;
    this.shownRows = shown;
    this.base = choicePrompt({ ...question, table: text === "" ? "(nothing)" : text });
  }

  async #offerQuery(): Promise<void> {
    if (this.queries >= MOST_QUERIES) return;
    this.queries++;
    const { base, notes } = this;
    await offerQuery(this.#o, { system: this.#system, base, file: this.#file, notes });
    this.#compose();
  }
}
