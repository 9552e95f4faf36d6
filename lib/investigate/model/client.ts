/**
 * Asks a model on Ollama one question. Returns JSON that fits a schema, or throws ModelFailure.
 * After a failed attempt it asks once more and says what was wrong.
 */
import type { Message } from "ollama";
import { z } from "zod";
import { type ConnectionOptions, OllamaConnection, type Said } from "./connection.ts";
import { isWorthRetrying, ModelFailure } from "./failure.ts";
import { estimateTokens, findJsonObject, withoutThoughts } from "./text.ts";

export interface Question<T> {
  /** For the transcript, such as `choose`. */
  readonly name: string;
  /** The part that is the same in every call, so that the server can cache it. */
  readonly system: string;
  readonly user: string;
  readonly schema: z.ZodType<T>;
  /** `num_predict`, in tokens. */
  readonly maxTokens: number;
}

/** Tokens that a chat template adds around messages, with a margin for the estimate. */
const TEMPLATE_TOKENS = 64;

/** A model on Ollama as the chooser of an assisted investigation. */
export class ModelClient {
  readonly #options: ConnectionOptions;
  readonly #connection: OllamaConnection;
  #structured = true;

  constructor(options: ConnectionOptions) {
    this.#options = options;
    this.#connection = new OllamaConnection(options);
  }

  async open(): Promise<string> {
    const { model, contextTokens } = this.#options.settings;
    const facts = await this.#connection.facts();
    const trained = facts.trainedContextTokens ?? "unknown";
    return `${model} ${facts.parameterSize} ${facts.quantization} on Ollama ${facts.serverVersion}, context ${contextTokens} of ${trained}`;
  }

  /** Facts for the manifest, with whether the server enforces the JSON schema. */
  details(): Promise<Record<string, unknown>> {
    return this.#connection.details({ structured_output: this.#structured });
  }

  /** How many tokens a user message may take beside `system` and the answer. */
  roomFor(system: string, maxTokens: number): number {
    const context = this.#connection.contextTokens;
    return Math.max(0, context - maxTokens - TEMPLATE_TOKENS - estimateTokens(system));
  }

  /** Asks; after an unusable answer asks once more and says what was wrong. Throws ModelFailure. */
  async ask<T>(question: Question<T>): Promise<T> {
    const messages: Message[] = [
      { role: "system", content: question.system },
      { role: "user", content: question.user },
    ];
    try {
      return await this.#attempt(question, messages, 0);
    } catch (error) {
      if (!(error instanceof ModelFailure) || !isWorthRetrying(error.kind)) throw error;
      this.#options.onNote?.(`${question.name}: ${error.message}; asking once more`);
      const complaint = `That could not be used: ${error.message.slice(0, 300)}\nAnswer with one JSON object and nothing else.`;
      return this.#attempt(question, [...messages, { role: "user", content: complaint }], 1);
    }
  }

  async #attempt<T>(question: Question<T>, messages: Message[], attempt: number): Promise<T> {
    const said = await this.#say(question, messages, attempt);
    const text = withoutThoughts(said.text);
    if (text === "") throw new ModelFailure("empty", `done_reason ${said.doneReason}`);
    const json = findJsonObject(text);
    if (json === undefined) {
      if (said.doneReason === "length") {
        throw new ModelFailure("truncated", `no complete JSON within ${question.maxTokens} tokens`);
      }
      const kind = text.includes("{") ? "broken-json" : "refusal";
      throw new ModelFailure(kind, JSON.stringify(text.slice(0, 160)));
    }
    const parsed = question.schema.safeParse(json);
    if (!parsed.success) {
      const issues = parsed.error.issues.map(
        (i) => `${i.path.join(".") || "answer"}: ${i.message}`,
      );
      throw new ModelFailure("broken-json", issues.slice(0, 4).join("; "));
    }
    return parsed.data;
  }

  async #say<T>(question: Question<T>, messages: Message[], attempt: number): Promise<Said> {
    const { maxTokens } = question;
    const schema = z.toJSONSchema(question.schema);
    if (!this.#structured) {
      return this.#connection.say({ messages: withSchema(messages, schema), maxTokens, attempt });
    }
    try {
      return await this.#connection.say({ messages, format: schema, maxTokens, attempt });
    } catch (error) {
      if (!(error instanceof ModelFailure) || error.kind !== "unsupported") throw error;
      this.#structured = false;
      this.#options.onNote?.("the server takes no JSON schema for this model; asking in words");
      return this.#say(question, messages, attempt);
    }
  }
}

function withSchema(messages: readonly Message[], schema: object): Message[] {
  const [system, ...rest] = messages;
  const told = `${system?.content ?? ""}\nAnswer with one JSON object that fits this JSON schema, and nothing else:\n${JSON.stringify(schema)}`;
  return [{ role: "system", content: told }, ...rest];
}
