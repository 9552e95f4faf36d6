/**
 * An investigation by an external agent: what it may ask and submit. Tools, record and rules are
 * the same as for the built-in investigators.
 */
import { z } from "zod";
import { type Answer, AnswerSchema, AnswerShape } from "../../contract/answer.ts";
import { checkCitation } from "../../contract/citation.ts";
import type { InvestigationInput } from "../investigator.ts";
import type { ToolDescription, Toolset } from "../tools/toolset.ts";

/** The reply to a call. With `ok` false it tells the agent what was wrong. */
export interface Reply {
  readonly ok: boolean;
  readonly text: string;
}

/** Maximum number of calls of one examination. */
const MAX_CALLS = 1000;

const OWN_TOOLS: readonly ToolDescription[] = [
  {
    name: "get_alert",
    description: "The alert that started the investigation, in the shape of Grafana's webhook.",
    parameters: z.toJSONSchema(z.strictObject({})),
  },
  {
    name: "submit_rca",
    description:
      "Hands in the root-cause analysis and ends the investigation. evidence cites calls of these tools: call_id, signal, service and value as they stand in the answer.",
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
  #sentBack = false;
  /** Number of citations that were removed because they did not hold. */
  struck = 0;

  constructor(input: InvestigationInput, tools: Toolset) {
    this.#input = input;
    this.#tools = tools;
  }

  /** Resolves once an answer is accepted. */
  get accepted(): Promise<Answer> {
    return this.#accepted.promise;
  }

  /** The answer that was accepted. */
  get answer(): Answer | undefined {
    return this.#answer;
  }

  /** Calls so far, of every kind. */
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
    if (this.#tools.records.length === 0) this.#input.transcript.phase("Gathering evidence");
    const { id, ok, answer } = await this.#tools.call(name, args);
    this.#input.transcript.note(`${id} ${name} ${JSON.stringify(args)}: ${ok ? "ok" : answer}`);
    return ok
      ? { ok, text: JSON.stringify({ call_id: id, ...(JSON.parse(answer) as object) }) }
      : refused(answer);
  }

  /**
   * Accepts or returns an answer. An answer of another shape is returned. Citations that do not
   * hold are returned once; after that they are removed and counted.
   */
  submit(raw: unknown): Reply {
    if (this.#answer !== undefined)
      return refused("the investigation is over: an answer was accepted");
    const parsed = AnswerSchema.safeParse(raw);
    if (!parsed.success) return refused(`not an answer: ${z.prettifyError(parsed.error)}`);
    const checked = parsed.data.evidence.map((citation) => ({
      citation,
      check: checkCitation(citation, this.#tools.records),
    }));
    const failed = checked.flatMap(({ citation, check }) =>
      check.grounded ? [] : [`${citation.signal} (${citation.call_id}): ${check.reason}`],
    );
    if (failed.length > 0 && !this.#sentBack) {
      this.#sentBack = true;
      return refused(
        `these citations do not hold; correct or drop them and submit again, what does not hold then is struck out: ${failed.join("; ")}`,
      );
    }
    this.struck = failed.length;
    const evidence = checked.flatMap(({ citation, check }) => (check.grounded ? [citation] : []));
    this.#answer = { ...parsed.data, evidence };
    this.#accepted.resolve(this.#answer);
    return { ok: true, text: JSON.stringify({ accepted: true, struck_citations: this.struck }) };
  }
}

const refused = (text: string): Reply => ({ ok: false, text });
