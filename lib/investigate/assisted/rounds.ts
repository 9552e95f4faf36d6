/**
 * Rounds of choice and refutation. The model chooses from closed lists. The tools refute the choice
 * and find where else the class holds. The model chooses again from what is left; a refuted choice
 * is never offered again.
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

/** Maximum number of rows of the table: small models got worse with more. */
const MAX_ROWS = 20;
const MAX_QUERIES = 2;
/** The first round with a query. A model makes more mistakes in a query than in a choice. */
const FIRST_ROUND_WITH_QUERY = 3;
/** Tokens of each answer; `report` is also the room kept free for the report. */
const TOKENS = { choice: 120, faultClass: 60, report: 920 };

const NOTHING_IS_WRONG = "no_service none is possible: nobody breaks what a healthy system entails";

/** A choice that was not refuted, and its test. */
export interface Standing {
  readonly hypothesis: Hypothesis;
  readonly choice: Choice;
  readonly verdict: Verdict | undefined;
}

/** The rounds of one investigation; `run` once. */
export class Rounds {
  readonly refuted: Verdict[] = [];
  /** Notes for the model, such as that no telemetry could be read. */
  readonly notes: string[] = [];
  readonly #options: SessionOptions;
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
    this.#options = options;
    this.#file = file;
    this.#system = system;
  }

  /** Null when the model stays unsure or everything is refuted. Throws ModelFailure. */
  async run(): Promise<Standing | null> {
    const { transcript } = this.#options.input;
    while (this.#options.spending.beginRound()) {
      const round = this.#options.spending.rounds;
      transcript.phase("Diagnosing", `round ${round}`);
      const standing = await this.#round(round);
      if (standing !== undefined) return standing;
      await this.#ruleOutBystanders();
      transcript.phase("Planning", "the diagnosis did not stand");
    }
    transcript.note("no round is left");
    return null;
  }

  /** The service that most rounds named; null when no two rounds agreed. */
  mostNamed(): ServiceName | null {
    const counts = new Map<ServiceName, number>();
    for (const name of this.#named) counts.set(name, (counts.get(name) ?? 0) + 1);
    const [best] = [...counts].toSorted(([, a], [, b]) => b - a);
    return best !== undefined && best[1] > 1 ? best[0] : null;
  }

  /** One round; undefined asks for another one. */
  async #round(round: number): Promise<Standing | null | undefined> {
    const { client, input, refutation, tools } = this.#options;
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
   * Asks a model that named a service but no class to choose among the classes left for it. If the
   * model answers `unknown` twice, the answer is `unknown`.
   */
  async #afterUnsure(choice: Choice): Promise<Standing | null | undefined> {
    const { input, refutation, tools } = this.#options;
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

  /**
   * Tells the model what is left: another class of the same service, else the services where the
   * class holds, else the services with any anomaly.
   */
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
    const rivals = await testRivals(hypothesis, this.#options.tools);
    const standing = await this.#chooseClass(choice, hypothesis.service, rivals);
    if (standing !== undefined) return standing;
    this.#excludedServices.add(hypothesis.service);
    const elsewhere = await whereElse(hypothesis, this.#options.tools);
    if (elsewhere.length === 0) this.#excludedClasses.add(hypothesis.faultClass);
    const hints = elsewhere.map((other) => `${nameOf(other.hypothesis)} is possible`);
    const anomalies = await this.#anomalyTexts();
    const healthy = anomalies.length > 0 ? anomalies : [NOTHING_IS_WRONG];
    this.#ruleOut([against, ...(hints.length > 0 ? hints : healthy)].join("; "));
    return undefined;
  }

  /**
   * If some services break a claim about a healthy system, removes `none` and all other services
   * from the lists at once. A model that tries them one by one runs out of rounds.
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
    this.#options.input.transcript.note(`ruled out, for nothing of their own: ${names}`);
  }

  /** The services on the list. Those without an anomaly are on it only when no other is left. */
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

  /**
   * Lets the model choose among the classes left for a service; undefined when it wants another
   * service.
   */
  async #chooseClass(
    choice: Choice,
    service: ServiceName,
    verdicts: readonly Verdict[],
  ): Promise<Standing | undefined> {
    const left = verdicts.filter(({ refuted, specific }) => !refuted && specific);
    const [only] = left;
    if (only === undefined) return undefined;
    const { client, input } = this.#options;
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
   * Returns why a class without a confirmed claim of its own does not stand: another class of the
   * service is fully confirmed, or the service has no anomaly. Null if it stands.
   */
  async #betterExplained(verdict: Verdict): Promise<string | null> {
    const { service } = verdict.hypothesis;
    if (verdict.specific || service === null) return null;
    const name = nameOf(verdict.hypothesis);
    const rivals = await testRivals(verdict.hypothesis, this.#options.tools);
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
    this.#anomalies ??= await findAnomalies(this.#options.tools);
    return this.#anomalies;
  }

  #compose(): void {
    const { client, contrast, input } = this.#options;
    const question = {
      alert: input.alert,
      contrast,
      refutations: this.#refutations,
      notes: this.notes,
    };
    const frame = choicePrompt({ ...question, table: "" });
    const room = client.roomFor(this.#system + frame, TOKENS.report);
    const { text, shown, cut } = this.#file.render(room, MAX_ROWS);
    if (cut > this.cutRows) input.transcript.note(`${cut} lesser rows of the table are left out`);
    this.cutRows = cut;
    this.shownRows = shown;
    this.base = choicePrompt({ ...question, table: text === "" ? "(nothing)" : text });
  }

  async #offerQuery(): Promise<void> {
    if (this.queries >= MAX_QUERIES) return;
    this.queries++;
    const { base, notes } = this;
    await offerQuery(this.#options, { system: this.#system, base, file: this.#file, notes });
    this.#compose();
  }
}
