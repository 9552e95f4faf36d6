/**
 * An investigation by an external agent: its tools and its submission. Tools, record and rules are
 * the same as for the built-in investigators.
 */
import { z } from "zod";
import { type Answer, AnswerShape } from "../../contract/answer.ts";
import { Submission } from "../answer/submission.ts";
import type { InvestigationInput } from "../investigator.ts";
import type { ToolDescription, Toolset } from "../tools/toolset.ts";

/** The reply to a call. With `ok` false it says what was wrong. */
export interface Reply {
  readonly ok: boolean;
  readonly text: string;
}

/** Maximum number of calls of one examination. */
const MAX_CALLS = 1000;
/** Characters of a call's arguments, and of all answers together, since everything is kept. */
const MAX_ARGUMENT_CHARACTERS = 16_384;
const MAX_EVIDENCE_CHARACTERS = 32 * 1024 * 1024;
const NOTED_CHARACTERS = 1000;

const OWN_TOOLS: readonly ToolDescription[] = [
  {
    name: "get_alert",
    description: "The alert that started the investigation, in the shape of Grafana's webhook.",
    parameters: z.toJSONSchema(z.strictObject({})),
  },
  {
    name: "submit_rca",
    description:
      "Hands in the root-cause analysis and ends the investigation. faults is empty when nothing is wrong. evidence cites calls of these tools: call_id, signal, service and value as they stand in the answer.",
    parameters: z.toJSONSchema(AnswerShape, { io: "input" }),
  },
];

/** One examination: tools until an answer is accepted. */
export class Examination {
  readonly #input: InvestigationInput;
  readonly #tools: Toolset;
  readonly #accepted = Promise.withResolvers<Answer>();
  #answer: Answer | undefined;
  #calls = 0;
  #characters = 0;
  readonly #submission: Submission;
  /** Number of citations that were removed because they did not hold. */
  struck = 0;

  constructor(input: InvestigationInput, tools: Toolset) {
    this.#input = input;
    this.#tools = tools;
    this.#submission = new Submission(() => tools.records);
  }

  /** Resolves once an answer is accepted. */
  get accepted(): Promise<Answer> {
    return this.#accepted.promise;
  }

  /** The accepted answer. */
  get answer(): Answer | undefined {
    return this.#answer;
  }

  /** The last confidence that the agent stated in an answer, accepted or not. */
  get statedConfidence(): number | undefined {
    return this.#submission.statedConfidence;
  }

  /** Number of calls so far, of every kind. */
  get calls(): number {
    return this.#calls;
  }

  /** All tools, with JSON Schemas of their arguments. */
  describe(): readonly ToolDescription[] {
    return [...OWN_TOOLS, ...this.#tools.describe()];
  }

  /** Calls a tool by name. Wrong names and arguments are replies; only an abort throws. */
  async call(name: string, args: Readonly<Record<string, unknown>>): Promise<Reply> {
    if (this.#answer !== undefined)
      return refused("the investigation is over: an answer was accepted");
    if (++this.#calls > MAX_CALLS) return refused(`at most ${MAX_CALLS} calls are allowed`);
    if (name === "get_alert") return { ok: true, text: JSON.stringify(this.#input.alert) };
    if (name === "submit_rca") return this.submit(args);
    const written = JSON.stringify(args);
    if (written.length > MAX_ARGUMENT_CHARACTERS) {
      return refused(`the arguments may have at most ${MAX_ARGUMENT_CHARACTERS} characters`);
    }
    if (this.#characters > MAX_EVIDENCE_CHARACTERS) {
      return refused("the answers so far fill the record; hand in the analysis");
    }
    if (this.#tools.records.length === 0) this.#input.transcript.phase("Gathering evidence");
    const { id, ok, answer } = await this.#tools.call(name, args);
    this.#characters += answer.length;
    const said = `${id} ${name} ${written}: ${ok ? "ok" : answer}`;
    this.#input.transcript.note(said.slice(0, NOTED_CHARACTERS));
    return ok
      ? { ok, text: JSON.stringify({ call_id: id, ...(JSON.parse(answer) as object) }) }
      : refused(answer);
  }

  /** Accepts an answer, or returns it with complaints. */
  submit(raw: unknown): Reply {
    if (this.#answer !== undefined)
      return refused("the investigation is over: an answer was accepted");
    const verdict = this.#submission.submit(raw);
    if (!verdict.accepted) return refused(verdict.reason);
    const { answer, struck, complaints } = verdict;
    this.struck = struck;
    for (const complaint of complaints) this.#input.transcript.note(`left out: ${complaint}`);
    this.#answer = answer;
    this.#accepted.resolve(answer);
    const reply = { accepted: true, struck_citations: struck, left_out: complaints };
    return { ok: true, text: JSON.stringify(reply) };
  }
}

const refused = (text: string): Reply => ({ ok: false, text });
