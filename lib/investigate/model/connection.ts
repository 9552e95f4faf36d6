/**
 * A connection to a model on Ollama: sends a chat, streams the answer, and names every failure.
 *
 * Every answer is streamed, so that a loop or a timeout can end the model's work: the server stops
 * when the client closes the stream.
 */
import { type Message, Ollama, type Tool } from "ollama";
import { messageOf } from "../../base/errors.ts";
import { boundFetch } from "./bound-fetch.ts";
import type { Spending } from "./budget.ts";
import { ModelFailure } from "./failure.ts";
import type { OllamaSettings } from "./settings.ts";
import { estimateTokens, isLooping } from "./text.ts";

/** Facts about a model, as the server reports them. */
export interface ModelFacts {
  readonly serverVersion: string;
  /** Maximum context of the model; null when the server does not report it. */
  readonly trainedContextTokens: number | null;
  readonly capabilities: readonly string[];
  readonly parameterSize: string;
  readonly quantization: string;
}

export interface ConnectionOptions {
  readonly settings: OllamaSettings;
  readonly spending: Spending;
  readonly seed: number;
  readonly signal?: AbortSignal;
  /** Maximum time for one answer. */
  readonly callTimeoutMs?: number;
  readonly onNote?: (line: string) => void;
}

/**
 * Milliseconds. Reading a prompt is slow without an accelerator: 120 s were too few for a model of
 * 1.5 billion parameters on two busy cores.
 */
export const DEFAULT_CALL_TIMEOUT_MS = 300_000;
export const LOOKUP_TIMEOUT_MS = 5_000;

export interface Chat {
  readonly messages: readonly Message[];
  /** JSON schema of the answer, which the server enforces. */
  readonly format?: object;
  /** Tools that the model may call. */
  readonly tools?: readonly Tool[];
  /** `num_predict`, in tokens. */
  readonly maxTokens: number;
  /** 0 for the first attempt; later ones are sampled differently. */
  readonly attempt: number;
}

/** The answer to one chat and the reason for its end. */
export interface Said {
  readonly text: string;
  readonly calls: readonly { readonly name: string; readonly arguments: unknown }[];
  readonly doneReason: string;
}

/** One model on one server. */
export class OllamaConnection {
  readonly #options: ConnectionOptions;
  #facts: ModelFacts | undefined;

  constructor(options: ConnectionOptions) {
    this.#options = options;
  }

  /** Tokens that a prompt and its answer may have together. */
  get contextTokens(): number {
    const trained = this.#facts?.trainedContextTokens ?? Number.POSITIVE_INFINITY;
    return Math.min(this.#options.settings.contextTokens, trained);
  }

  /** Looks the model up. Throws ModelFailure when there is no server or no such model. */
  async facts(): Promise<ModelFacts> {
    if (this.#facts !== undefined) return this.#facts;
    const { settings } = this.#options;
    const ollama = this.#ollama(AbortSignal.timeout(LOOKUP_TIMEOUT_MS));
    try {
      const { version } = await ollama.version();
      const shown = await ollama.show({ model: settings.model });
      this.#facts = {
        serverVersion: version,
        trainedContextTokens: contextLength(shown.model_info),
        capabilities: shown.capabilities ?? [],
        parameterSize: shown.details.parameter_size,
        quantization: shown.details.quantization_level,
      };
      return this.#facts;
    } catch (error) {
      throw this.#failure(error);
    }
  }

  /** Facts for the manifest; after facts() also the server's and `more`. */
  async details(more: Readonly<Record<string, unknown>> = {}): Promise<Record<string, unknown>> {
    const { host, model, contextTokens } = this.#options.settings;
    const asked = { host, model, num_ctx: contextTokens };
    if (this.#facts === undefined) return asked;
    const effective_context_tokens = await this.#loadedContextTokens();
    return { ...asked, ...this.#facts, effective_context_tokens, ...more };
  }

  /** The context length of the loaded model; null when the server does not report it. */
  async #loadedContextTokens(): Promise<number | null> {
    try {
      const { models } = await this.#ollama(AbortSignal.timeout(LOOKUP_TIMEOUT_MS)).ps();
      const mine = models.find(({ model }) => model === this.#options.settings.model);
      const length = (mine as { context_length?: unknown } | undefined)?.context_length;
      return typeof length === "number" ? length : null;
    } catch (error) {
      this.#options.onNote?.(`cannot read the loaded context length: ${messageOf(error)}`);
      return null;
    }
  }

  /**
   * Sends a chat. Throws ModelFailure; its kind is `unsupported` when the server refuses the schema
   * or the tools of the chat, which costs nothing.
   */
  async say({ messages, format, tools, maxTokens, attempt }: Chat): Promise<Said> {
    const { spending, settings, seed, callTimeoutMs = DEFAULT_CALL_TIMEOUT_MS } = this.#options;
    const facts = await this.facts();
    const leftMs = spending.requireRoom();
    const timeoutMs = Math.max(1, Math.min(callTimeoutMs, leftMs));
    const timeout = AbortSignal.timeout(timeoutMs);
    const leave = new AbortController();
    const request = {
      model: settings.model,
      messages: [...messages],
      stream: true as const,
      keep_alive: "30m",
      ...(format === undefined ? {} : { format }),
      ...(tools === undefined ? {} : { tools: [...tools] }),
      ...(facts.capabilities.includes("thinking") ? { think: false } : {}),
      options: {
        num_ctx: settings.contextTokens,
        num_predict: Math.min(maxTokens, spending.tokensLeft()),
        temperature: attempt === 0 ? 0 : 0.4,
        seed: (seed + attempt) >>> 0,
        ...(attempt === 0 ? {} : { repeat_penalty: 1.2 }),
      },
    };
    const started = performance.now();
    const counts = { prompt: 0, completion: 0 };
    const calls: { name: string; arguments: unknown }[] = [];
    let said = "";
    let refused = false;
    try {
      const ollama = this.#ollama(AbortSignal.any([timeout, leave.signal]));
      for await (const part of await ollama.chat(request)) {
        said += part.message.content;
        for (const { function: called } of part.message.tool_calls ?? []) calls.push(called);
        if (part.done) {
          counts.prompt = part.prompt_eval_count ?? 0;
          counts.completion = part.eval_count ?? 0;
          return { text: said, calls, doneReason: part.done_reason };
        }
        if (isLooping(said)) {
          throw new ModelFailure("repetition", JSON.stringify(said.slice(-60)));
        }
      }
      throw new ModelFailure("cut-off", `after ${said.length} characters`);
    } catch (error) {
      refused = isRefusal(error, format !== undefined, tools !== undefined);
      if (refused) throw new ModelFailure("unsupported", messageOf(error), { cause: error });
      throw this.#failure(error, timeout.aborted ? timeoutMs : undefined);
    } finally {
      // The server stops only when the connection closes, and the client's iterator keeps it open.
      leave.abort();
      // The server reports no counts for an attempt that ended early. They are estimated for the
      // budget.
      const sent = messages.reduce((sum, { content }) => sum + estimateTokens(content), 0);
      if (!refused) {
        spending.add({
          modelMs: performance.now() - started,
          promptTokens: counts.prompt > 0 ? counts.prompt : sent,
          completionTokens: counts.completion > 0 ? counts.completion : estimateTokens(said),
        });
      }
    }
  }

  #ollama(timeout: AbortSignal): Ollama {
    const { settings, signal } = this.#options;
    const limit = signal === undefined ? timeout : AbortSignal.any([timeout, signal]);
    return new Ollama({ host: settings.host, fetch: boundFetch(limit) });
  }

  /** Converts an error into a ModelFailure. An abort by the caller is returned unchanged. */
  #failure(error: unknown, timedOutAfterMs?: number): Error {
    const { settings, signal } = this.#options;
    if (signal?.aborted) return signal.reason as Error;
    if (error instanceof ModelFailure) return error;
    const said = messageOf(error);
    const status = (error as { status_code?: number }).status_code;
    if (timedOutAfterMs !== undefined || (error as Error).name === "TimeoutError") {
      const after = timedOutAfterMs ?? LOOKUP_TIMEOUT_MS;
      return new ModelFailure(
        "timeout",
        `${settings.model} at ${settings.host}, ${Math.round(after)} ms`,
      );
    }
    if (status === 404) {
      return new ModelFailure("not-pulled", `run \`ollama pull ${settings.model}\` (${said})`);
    }
    if (status !== undefined) return new ModelFailure("server-error", `HTTP ${status}: ${said}`);
    if (/Did not receive done|closed|terminated|ECONNRESET/i.test(said)) {
      return new ModelFailure("cut-off", said, { cause: error });
    }
    if (/connect|refused|ENOTFOUND|resolve/i.test(said)) {
      return new ModelFailure("unreachable", `${settings.host}: ${said}`, { cause: error });
    }
    return new ModelFailure("server-error", said, { cause: error });
  }
}

function contextLength(info: unknown): number | null {
  const entries = info instanceof Map ? [...info] : Object.entries((info as object | null) ?? {});
  const found = entries.find(([key]) => String(key).endsWith(".context_length"));
  return typeof found?.[1] === "number" ? found[1] : null;
}

/** Whether the server refuses the form of the request: its schema, or its tools. */
function isRefusal(error: unknown, hasFormat: boolean, hasTools: boolean): boolean {
  const status = (error as { status_code?: number }).status_code;
  if (status === undefined || status === 404) return false;
  const said = messageOf(error);
  return (
    (hasFormat && /format|schema|grammar/i.test(said)) || (hasTools && /\btools?\b/i.test(said))
  );
}
