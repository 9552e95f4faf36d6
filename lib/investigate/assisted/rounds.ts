/**
 * Rounds of choice and test. The model chooses from closed lists, and the tools test its choice. If
 * a test contradicts it, the model is told and asked again; the model's next choice is final. A
 * class without a test of its own cannot be refuted by missing data.
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

/** Maximum number of rows of the table: small models made more mistakes with more rows. */
const MAX_ROWS = 20;
const MAX_QUERIES = 2;
/** The first round with a query. A model makes more mistakes in a query than in a choice. */
const FIRST_ROUND_WITH_QUERY = 3;
/** Maximum tokens of each answer; `report` is also reserved for the report. */
const TOKENS = { choice: 120, faultClass: 60, report: 920 };

const NOTHING_IS_WRONG = "no_service none is possible: nobody breaks what a healthy system entails";

/** A choice that was not refuted, and its test. */
export interface Standing {
  readonly hypothesis: Hypothesis;
  readonly choice: Choice;
  readonly verdict: Verdict | undefined;
}

/** A question for the class of one service. */
interface Contest {
  readonly choice: Choice;
  readonly service: ServiceName;
  /** Tests of the other classes. */
  readonly rivals: readonly Verdict[];
  /** The test of the model's own choice, and the evidence against it. */
  readonly own?: Verdict;
  readonly against?: string;
}

/** The rounds of one investigation; call `run` once. */
export class Rounds {
  readonly refuted: Verdict[] = [];
  /** Notes for the model, such as that no telemetry could be read. */
  readonly notes: string[] = [];
  readonly #options: SessionOptions;
  readonly #file: CaseFile;
  readonly #system: string;
  readonly #refutations: string[] = [];
  readonly #named: ServiceName[] = [];
  /** Choices that telemetry contradicts, by name; if the model repeats one, it is final. */
  readonly #contested = new Set<string>();
  /** Classes that tests refute for every service. */
  readonly #refutedClasses = new Set<FaultClass>();
  /** Services that the model itself has left for another one. */
  readonly #leftServices = new Set<ServiceName>();
  #mentioned = false;
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
      await this.#mentionBystanders();
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
      schema: choiceSchema(this.#offeredServices(), this.#refutedClasses),
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
    if (this.#contested.has(nameOf(hypothesis))) return this.#dissent(choice, verdict);
    const against = verdict.refuted ? refutationOf(verdict) : await this.#doubt(verdict);
    input.transcript.note(
      `${said}: ${against ?? `stands, ${Math.round(verdict.coverage * 100)} % confirmed`}`,
    );
    if (against === null) return { hypothesis, choice, verdict };
    this.#contested.add(nameOf(hypothesis));
    return this.#afterContest(choice, verdict, against);
  }

  /** Accepts a choice that the model repeats although telemetry contradicts it. */
  #dissent(choice: Choice, verdict: Verdict): Standing {
    const { hypothesis } = verdict;
    this.#options.input.transcript.note(
      `keeps to ${nameOf(hypothesis)}${verdict.refuted ? ", against telemetry" : ""}`,
    );
    return { hypothesis, choice, verdict };
  }

  /**
   * If the model named a service but no class, asks it to choose among the remaining classes of the
   * service. If the model answers `unknown` twice, the answer is `unknown`.
   */
  async #afterUnsure(choice: Choice): Promise<Standing | null | undefined> {
    const { input, refutation, tools } = this.#options;
    const service = SERVICES.find((name) => name === choice.service);
    input.transcript.note(`the model is unsure (${choice.service}, ${choice.fault_class})`);
    if (!refutation) return null;
    if (service !== undefined) {
      const rivals = await testRivals({ service, faultClass: "none" }, tools);
      const standing = await this.#chooseClass({ choice, service, rivals });
      if (standing !== undefined) return standing;
    }
    return ++this.#unsure > 1 ? null : undefined;
  }

  /**
   * Tells the model the evidence against its choice, and offers another class of the same service,
   * its own choice again, or another service. If it wants another service, tells it where the class
   * is possible, else which services show an anomaly.
   */
  async #afterContest(
    choice: Choice,
    verdict: Verdict,
    against: string,
  ): Promise<Standing | undefined> {
    const { hypothesis } = verdict;
    if (verdict.refuted) this.refuted.push(verdict);
    if (hypothesis.service === null) {
      this.#tell(["that nothing is wrong is refuted", ...(await this.#anomalyTexts())].join(": "));
      return undefined;
    }
    const { service } = hypothesis;
    const rivals = await testRivals(hypothesis, this.#options.tools);
    const standing = await this.#chooseClass({ choice, service, rivals, own: verdict, against });
    if (standing !== undefined) return standing;
    this.#leftServices.add(service);
    const elsewhere = await whereElse(hypothesis, this.#options.tools);
    if (verdict.refuted && elsewhere.length === 0) this.#refutedClasses.add(hypothesis.faultClass);
    const hints = elsewhere
      .filter(({ specific }) => specific)
      .map((other) => `${nameOf(other.hypothesis)} is possible`);
    this.#tell([against, ...hints].join("; "));
    const anomalies = await this.#anomalyTexts();
    if (hints.length === 0)
      this.#tell(anomalies.length > 0 ? anomalies.join("; ") : NOTHING_IS_WRONG);
    return undefined;
  }

  /** Tells the model once which services break no claim about a healthy system. */
  async #mentionBystanders(): Promise<void> {
    const broken = new Set((await this.#findAnomalies()).map(({ service }) => service));
    const bystanders = SERVICES.filter((name) => !broken.has(name));
    if (broken.size === 0 || bystanders.length === 0 || this.#mentioned) return;
    this.#mentioned = true;
    this.notes.push(`${bystanders.join(", ")}: nothing of their own is out of order`);
  }

  /** The services in the list, without those that the model itself has left. */
  #offeredServices(): ServiceName[] {
    const left = SERVICES.filter((name) => !this.#leftServices.has(name));
    return left.length > 0 ? left : [...SERVICES];
  }

  /**
   * Lets the model choose among its own choice and the classes that telemetry does not refute for a
   * service; undefined when it wants another service.
   */
  async #chooseClass({
    choice,
    service,
    rivals,
    own,
    against,
  }: Contest): Promise<Standing | undefined> {
    const { client, input } = this.#options;
    const left = rivals
      .filter(({ refuted }) => !refuted)
      .toSorted((a, b) => Number(b.specific) - Number(a.specific));
    const specific = left.filter((verdict) => verdict.specific);
    const nameless = left.filter((verdict) => !verdict.specific);
    const classOf = ({ hypothesis }: Verdict): FaultClass => hypothesis.faultClass;
    const { fault_class: chosen } = await client.ask({
      name: "choose again",
      system: this.#system,
      user: classPrompt(this.base, {
        service,
        left: [
          ...specific.map((verdict) => `${classOf(verdict)}: ${supportOf(verdict)}`),
          ...nameless.map(
            (verdict) => `${classOf(verdict)}: nothing tested speaks for or against it`,
          ),
        ],
        against,
        own: own && classOf(own),
      }),
      schema: classSchema({
        left: specific.map(classOf),
        nameless: [...nameless, ...(own === undefined ? [] : [own])].map(classOf),
        unsure: choice.fault_class === "unknown",
      }),
      maxTokens: TOKENS.faultClass,
    });
    const names = left.map(classOf).join(", ") || "no other class";
    input.transcript.note(
      `telemetry leaves ${names} for ${service}; chose ${chosen.replaceAll("_", " ")}`,
    );
    if (own !== undefined && chosen === classOf(own)) return this.#dissent(choice, own);
    const verdict = left.find((one) => classOf(one) === chosen);
    return verdict && { hypothesis: verdict.hypothesis, choice, verdict };
  }

  #tell(against: string): void {
    if (!this.#refutations.includes(against)) this.#refutations.push(against);
  }

  /**
   * Evidence against a class without confirmed tests of its own: another class of the service with
   * all claims confirmed, or anomalies of other services while this one has none. Null without
   * either: missing data refutes nothing.
   */
  async #doubt(verdict: Verdict): Promise<string | null> {
    const { service } = verdict.hypothesis;
    if (verdict.specific || service === null) return null;
    const name = nameOf(verdict.hypothesis);
    const rivals = await testRivals(verdict.hypothesis, this.#options.tools);
    const better = rivals.find(
      ({ refuted, specific, coverage }) => !refuted && specific && coverage === 1,
    );
    if (better !== undefined) {
      return `${name} is not refuted, but a class that says more holds, for ${supportOf(better)}`;
    }
    const anomalies = await this.#findAnomalies();
    if (anomalies.length === 0 || anomalies.some((one) => one.service === service)) return null;
    return `${name} is not refuted, but ${anomalies.map(anomalyText).join("; ")}`;
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
