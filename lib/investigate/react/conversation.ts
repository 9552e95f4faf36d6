/** The messages of one investigation by the plain agent. */
import type { Examination } from "../external/examination.ts";
import type { InvestigationInput } from "../investigator.ts";
import type {
  ChatFacts,
  ChatMessage,
  ChatModel,
  ChatReply,
  ChatRequest,
  ToolCall,
} from "../model/chat.ts";
import { isWorthRetrying, ModelFailure } from "../model/failure.ts";
import { estimateTokens } from "../model/text.ts";
import type { ToolDescription } from "../tools/toolset.ts";
import { bareAnswerIn, callsOf } from "./actions.ts";
import { actionRules, alertMessage, instructions, NO_ACTION, NO_CALLS_LEFT } from "./prompt.ts";
import { slimTool } from "./slim.ts";
import { ResultRoom } from "./view.ts";

/** Tokens of all tool results together. */
export const RESULT_TOKENS = 6000;
const ACTION_TOKENS = 700;
const ANSWER_TOKENS = 1400;
/** Tokens reserved for the model's own text and for the chat's template. */
const OWN_TOKENS = 2500;
const MAX_SHOWN = 2000;
/**
 * Submissions after the last call: the first, one after a wrong form, one after a wrong citation.
 */
const MAX_SUBMISSIONS = 3;
const SUBMIT = "submit_rca";
/** The first message contains the alert. */
const LEFT_OUT = "get_alert";

export interface ConversationOptions {
  readonly input: InvestigationInput;
  readonly examination: Examination;
  readonly model: ChatModel;
  readonly calls: number;
}

/** One investigation; call `run` once. */
export class Conversation {
  readonly #options: ConversationOptions;
  readonly #tools: readonly ToolDescription[];
  #facts: ChatFacts = { nativeTools: true, forcesCalls: false, contextTokens: 0, description: "" };
  #native = true;
  #structured = true;
  #messages: ChatMessage[] = [];
  #room = new ResultRoom(RESULT_TOKENS);
  #used = 0;
  #invalid = 0;
  #forced = false;
  /** Attempts that failed in a row; a later one is sampled differently. */
  #failures = 0;
  turns = 0;
  lastComplaint: string | undefined;

  constructor(options: ConversationOptions) {
    this.#options = options;
    this.#tools = options.examination.describe().filter(({ name }) => name !== LEFT_OUT);
  }

  /** Facts of this investigation for the manifest. */
  details(): Record<string, unknown> {
    return {
      max_calls: this.#options.calls,
      calls: this.#used,
      invalid_calls: this.#invalid,
      native_tools: this.#native,
      forced: this.#forced,
      results_cut: this.#room.cut,
      result_tokens: RESULT_TOKENS - this.#room.left,
      instruction_bytes: fixedBytes(this.#options.calls, this.#tools),
    };
  }

  /** Ends when an answer is accepted or the model has failed to submit one. */
  async run(): Promise<void> {
    const { input, model, calls, examination } = this.#options;
    this.#facts = await model.open();
    this.#native = this.#facts.nativeTools && calls > 0;
    input.transcript.phase("Loading integrations", this.#facts.description);
    this.#begin();
    if (calls > 0) input.transcript.phase("Planning", `at most ${calls} calls`);
    while (this.#used < calls && examination.answer === undefined) {
      input.transcript.phase("Diagnosing", `${calls - this.#used} calls left`);
      await this.#turn();
    }
    if (examination.answer === undefined) await this.#forceSubmission();
  }

  /** Writes the first messages; called again when the server refuses native calls. */
  #begin(): void {
    const { input, calls } = this.#options;
    const system =
      this.#native || calls === 0
        ? instructions(calls)
        : `${instructions(calls)}\n${actionRules(this.#slim(true))}`;
    this.#messages = [
      { role: "system", content: system },
      { role: "user", content: alertMessage(input.alert) },
    ];
    const fixed = fixedBytes(calls, this.#tools) / BYTES_PER_TOKEN;
    const alert = estimateTokens(alertMessage(input.alert));
    const free = this.#facts.contextTokens - fixed - alert - OWN_TOKENS;
    this.#room = new ResultRoom(Math.max(0, Math.min(RESULT_TOKENS, Math.floor(free))));
    if (calls > 0 && this.#room.left < RESULT_TOKENS) {
      input.transcript.note(
        `a context of ${this.#facts.contextTokens} tokens leaves ${this.#room.left} for results`,
      );
    }
  }

  #slim(dropLists: boolean): ToolDescription[] {
    return this.#tools.map((tool) => slimTool(tool, { dropLists }));
  }

  /** One message of the model and the answers to its calls. */
  async #turn(): Promise<void> {
    const reply = await this.#say({
      ...(this.#native ? { tools: this.#slim(true) } : { format: actionSchema(this.#tools) }),
      maxTokens: ACTION_TOKENS,
    });
    const calls = reply === undefined ? [] : callsOf(reply);
    if (reply === undefined || calls.length === 0) {
      this.#used++;
      this.#invalid++;
      this.#complain(reply?.text ?? "", NO_ACTION);
      return;
    }
    this.#failures = 0;
    const isNative = reply.calls.length > 0;
    this.#messages.push({
      role: "assistant",
      content: reply.text,
      ...(isNative ? { calls } : {}),
    });
    for (const call of calls) await this.#answerTo(call, isNative);
  }

  async #answerTo(call: ToolCall, isNative: boolean): Promise<void> {
    const { examination, calls, input } = this.#options;
    const push = (content: string): void => {
      this.#messages.push(
        isNative ? { role: "tool", content, answers: call } : { role: "user", content },
      );
    };
    if (examination.answer !== undefined) return;
    // A native message may hold more calls than are left; each call needs an answer.
    if (this.#used >= calls) {
      push("no calls are left");
      return;
    }
    const callsLeft = calls - this.#used++;
    const { ok, text } =
      call.arguments === null
        ? { ok: false, text: "the arguments must be a JSON object" }
        : await examination.call(call.name, call.arguments);
    if (!ok) {
      this.#invalid++;
      this.lastComplaint = text;
      if (call.name === SUBMIT) input.transcript.note(`the answer is sent back: ${text}`);
    }
    const shown = this.#room.fit(text, callsLeft);
    push(`${ok ? "" : "error: "}${shown}\n(${callsLeft - 1} calls left)`);
  }

  /** After the last call, asks for an answer only. */
  async #forceSubmission(): Promise<void> {
    const { examination, input, calls } = this.#options;
    this.#forced = calls > 0;
    input.transcript.phase("Diagnosing", "the answer is due");
    const submit = this.#tools.filter(({ name }) => name === SUBMIT);
    const slim = this.#slim(false).find(({ name }) => name === SUBMIT);
    if (calls > 0) this.#messages.push({ role: "user", content: NO_CALLS_LEFT });
    for (let i = 0; i < MAX_SUBMISSIONS && examination.answer === undefined; i++) {
      const reply = await this.#say({
        ...(this.#native && this.#facts.forcesCalls
          ? { tools: submit, mustCall: SUBMIT }
          : { format: slim?.parameters as object }),
        maxTokens: ANSWER_TOKENS,
      });
      const raw = reply === undefined ? undefined : submissionIn(reply);
      if (raw === undefined) {
        this.#complain(reply?.text ?? "", "Write the analysis as one JSON object.");
        continue;
      }
      const { ok, text } = await examination.call(SUBMIT, raw);
      if (!ok) this.#complain(JSON.stringify(raw), text);
    }
  }

  #complain(said: string, complaint: string): void {
    this.lastComplaint = complaint;
    this.#failures++;
    this.#messages.push(
      { role: "assistant", content: said.slice(0, MAX_SHOWN) },
      { role: "user", content: complaint.slice(0, MAX_SHOWN) },
    );
    this.#options.input.transcript.note(`sent back: ${complaint.slice(0, MAX_SHOWN)}`);
  }

  /**
   * Sends the conversation; returns undefined when the model failed in a way that another attempt
   * may solve.
   */
  async #say(
    request: Pick<ChatRequest, "maxTokens" | "mustCall" | "format"> & Partial<ChatRequest>,
  ): Promise<ChatReply | undefined> {
    const { model, input } = this.#options;
    const { format, ...rest } = request;
    this.turns++;
    try {
      const reply = await model.say({
        tools: [],
        ...rest,
        ...(format !== undefined && this.#structured ? { format } : {}),
        messages: this.#messages,
        attempt: this.#failures,
      });
      const said = reply.calls.map(
        ({ name, arguments: args }) => `${name} ${JSON.stringify(args)}`,
      );
      input.transcript.note(`model: ${[reply.text, ...said].join(" ").slice(0, MAX_SHOWN)}`);
      return reply;
    } catch (error) {
      if (!(error instanceof ModelFailure)) throw error;
      if (error.kind === "unsupported" && this.#fallBack()) return this.#say(this.#again(request));
      if (!isWorthRetrying(error.kind)) throw error;
      input.transcript.note(error.message);
      return undefined;
    }
  }

  /** Gives up a feature that the server refuses; false when none is left. */
  #fallBack(): boolean {
    const { input } = this.#options;
    if (this.#native) {
      this.#native = false;
      input.transcript.note("the server takes no native tool calls for this model");
      this.#begin();
      return true;
    }
    if (!this.#structured) return false;
    this.#structured = false;
    input.transcript.note("the server takes no JSON schema for this model");
    return true;
  }

  /** The request in the remaining form after a refusal. */
  #again(
    request: Pick<ChatRequest, "maxTokens" | "mustCall" | "format"> & Partial<ChatRequest>,
  ): Pick<ChatRequest, "maxTokens" | "format"> {
    const { maxTokens, format } = request;
    return { maxTokens, format: format ?? actionSchema(this.#tools) };
  }
}

/** Measured on tables and schemas like these, rounded to the safe side. */
const BYTES_PER_TOKEN = 2.6;

/** Size of the beginning of every prompt: instructions and tools, bytes. */
export function fixedBytes(calls: number, tools: readonly ToolDescription[]): number {
  const slim = tools.map((tool) => slimTool(tool, { dropLists: true }));
  const text = calls === 0 ? instructions(0) : `${instructions(calls)}\n${actionRules(slim)}`;
  return Buffer.byteLength(text);
}

/** The analysis in a reply: the argument of a call, or plain JSON. */
function submissionIn(reply: ChatReply): Readonly<Record<string, unknown>> | undefined {
  const call = callsOf(reply).find(({ name }) => name === SUBMIT);
  return call?.arguments ?? bareAnswerIn(reply);
}

/**
 * The schema of one action. The arguments are any object: the tool checks them and returns an
 * explanation, as for native calls.
 */
function actionSchema(tools: readonly ToolDescription[]): object {
  return {
    type: "object",
    properties: {
      tool: { type: "string", enum: tools.map(({ name }) => name) },
      arguments: { type: "object" },
    },
    required: ["tool", "arguments"],
  };
}
