/**
 * A conversation with an endpoint that speaks OpenAI's wire format (`POST <url>/chat/completions`);
 * Ollama, vLLM, llama.cpp and hosted services do.
 */
import { z } from "zod";
import { messageOf } from "../../base/errors.ts";
import type { Spending } from "./budget.ts";
import type { ChatFacts, ChatMessage, ChatModel, ChatReply, ChatRequest } from "./chat.ts";
import { DEFAULT_CALL_TIMEOUT_MS } from "./connection.ts";
import { ModelFailure } from "./failure.ts";
import { asObject, estimateTokens, findJsonObject } from "./text.ts";

export interface EndpointSettings {
  /** Base URL without a slash at its end, such as `http://127.0.0.1:11434/v1`. */
  readonly url: string;
  readonly model: string;
  /** Sent as a bearer token; absent: none. */
  readonly key?: string;
  /** Maximum tokens of prompt and answer together; the wire format does not report it. */
  readonly contextTokens: number;
}

export interface OpenAiChatOptions {
  readonly settings: EndpointSettings;
  readonly spending: Spending;
  readonly seed: number;
  readonly signal?: AbortSignal;
  readonly callTimeoutMs?: number;
}

const ReplySchema = z.object({
  choices: z
    .array(
      z.object({
        finish_reason: z.string().nullish(),
        message: z.object({
          content: z.string().nullish(),
          tool_calls: z
            .array(
              z.object({
                id: z.string().nullish(),
                function: z.object({ name: z.string(), arguments: z.unknown() }),
              }),
            )
            .nullish(),
        }),
      }),
    )
    .min(1),
  model: z.string().nullish(),
  usage: z
    .object({ prompt_tokens: z.number().nullish(), completion_tokens: z.number().nullish() })
    .nullish(),
});

export class OpenAiChat implements ChatModel {
  readonly #options: OpenAiChatOptions;
  #calls = 0;
  /** The model that the endpoint reports. */
  #served: string | null = null;

  constructor(options: OpenAiChatOptions) {
    this.#options = options;
  }

  open(): Promise<ChatFacts> {
    const { model, url, contextTokens } = this.#options.settings;
    const description = `${model} at ${url}, context ${contextTokens}`;
    return Promise.resolve({ nativeTools: true, forcesCalls: true, contextTokens, description });
  }

  async say(request: ChatRequest): Promise<ChatReply> {
    const { spending, callTimeoutMs = DEFAULT_CALL_TIMEOUT_MS } = this.#options;
    const timeoutMs = Math.max(1, Math.min(callTimeoutMs, spending.requireRoom()));
    const started = performance.now();
    const body = JSON.stringify(this.#bodyOf(request));
    const { status, text } = await this.#post(body, timeoutMs);
    const modelMs = performance.now() - started;
    if (status >= 400) throw this.#refusal(status, text, request);
    const parsed = ReplySchema.safeParse(findJsonObject(text));
    if (!parsed.success) {
      throw new ModelFailure("server-error", `no chat completion: ${text.slice(0, 160)}`);
    }
    const { choices, usage, model } = parsed.data;
    this.#served = model ?? null;
    const [choice] = choices;
    const said = choice?.message.content ?? "";
    spending.add({
      modelMs,
      promptTokens: usage?.prompt_tokens ?? estimateTokens(body),
      completionTokens: usage?.completion_tokens ?? estimateTokens(said),
    });
    return {
      text: said,
      doneReason: choice?.finish_reason ?? "",
      calls: (choice?.message.tool_calls ?? []).map(({ id, function: called }) => ({
        id: id ?? `call_${++this.#calls}`,
        name: called.name,
        arguments: argumentsOf(called.arguments),
      })),
    };
  }

  details(): Promise<Readonly<Record<string, unknown>>> {
    const { url, model, contextTokens } = this.#options.settings;
    const served = this.#served;
    return Promise.resolve({ host: url, model, served_model: served, num_ctx: contextTokens });
  }

  #bodyOf({ messages, tools, format, mustCall, maxTokens, attempt }: ChatRequest): object {
    const { settings, spending, seed } = this.#options;
    return {
      model: settings.model,
      messages: messages.map(toOpenAi),
      stream: false,
      temperature: attempt === 0 ? 0 : 0.4,
      seed: (seed + attempt) >>> 0,
      max_tokens: Math.min(maxTokens, spending.tokensLeft()),
      ...(tools.length === 0
        ? {}
        : { tools: tools.map((tool) => ({ type: "function", function: tool })) }),
      ...(mustCall === undefined
        ? {}
        : { tool_choice: { type: "function", function: { name: mustCall } } }),
      ...(format === undefined
        ? {}
        : {
            response_format: {
              type: "json_schema",
              json_schema: { name: "action", schema: format },
            },
          }),
    };
  }

  async #post(body: string, timeoutMs: number): Promise<{ status: number; text: string }> {
    const { settings, signal } = this.#options;
    const timeout = AbortSignal.timeout(timeoutMs);
    try {
      const response = await fetch(`${settings.url}/chat/completions`, {
        method: "POST",
        headers: {
          "content-type": "application/json",
          ...(settings.key === undefined ? {} : { authorization: `Bearer ${settings.key}` }),
        },
        body,
        signal: signal === undefined ? timeout : AbortSignal.any([timeout, signal]),
      });
      return { status: response.status, text: await response.text() };
    } catch (error) {
      if (signal?.aborted) throw signal.reason as Error;
      const where = `${settings.model} at ${settings.url}`;
      // A failed call counts as if it had read the prompt.
      this.#options.spending.add({
        modelMs: 0,
        promptTokens: estimateTokens(body),
        completionTokens: 0,
      });
      if (timeout.aborted) {
        throw new ModelFailure("timeout", `${where}, ${Math.round(timeoutMs)} ms`);
      }
      throw new ModelFailure("unreachable", `${where}: ${messageOf(error)}`, { cause: error });
    }
  }

  #refusal(status: number, text: string, request: ChatRequest): ModelFailure {
    const { error } = findJsonObject(text) ?? {};
    const told = asObject(error)?.["message"] ?? error ?? text;
    const said = typeof told === "string" ? told.slice(0, 300) : JSON.stringify(told).slice(0, 300);
    const detail = `HTTP ${status}: ${said}`;
    const refusesTools = request.tools.length > 0 && /\btool(s|_choice)?\b/i.test(said);
    const refusesSchema = request.format !== undefined && /format|schema|grammar/i.test(said);
    if (status === 404 && /model/i.test(said)) return new ModelFailure("not-pulled", detail);
    if (refusesTools || refusesSchema) return new ModelFailure("unsupported", detail);
    return new ModelFailure("server-error", detail);
  }
}

function toOpenAi({ role, content, calls = [], answers }: ChatMessage): object {
  return {
    role,
    content,
    ...(calls.length === 0
      ? {}
      : {
          tool_calls: calls.map(({ id, name, arguments: args }) => ({
            id,
            type: "function",
            function: { name, arguments: JSON.stringify(args ?? {}) },
          })),
        }),
    ...(answers === undefined ? {} : { tool_call_id: answers.id }),
  };
}

/** Arguments are JSON text in this format; some servers send the object. */
function argumentsOf(said: unknown): Record<string, unknown> | null {
  if (typeof said !== "string") return asObject(said);
  return said.trim() === "" ? {} : (findJsonObject(said) ?? null);
}
