/**
 * Asks a model on Ollama one question. Returns JSON that fits a schema, or throws a ModelFailure.
 *
 * Every answer is streamed, so that a loop or a timeout can end the model's work: the server stops
 * when the client closes the stream. A failed attempt is repeated once with what was wrong.
 */
import { type Message, Ollama } from "ollama";
import { z } from "zod";
import { messageOf } from "../../base/errors.ts";
import type { Spending } from "./budget.ts";
import { isWorthRetrying, ModelFailure } from "./failure.ts";
import type { OllamaSettings } from "./settings.ts";
import { estimateTokens, findJsonObject, isLooping, withoutThoughts } from "./text.ts";

/** Facts about a model, as the server reports them. */
export interface ModelFacts {
  readonly serverVersion: string;
  /** Maximum context of the model; null when the server does not report it. */
  readonly trainedContextTokens: number | null;
  readonly capabilities: readonly string[];
  readonly parameterSize: string;
  readonly quantization: string;
}

export interface Question<T> {
  /** For the transcript, such as `choose`. */
  readonly name: string;
  /** The part that is the same in every call: the server caches a common beginning. */
  readonly system: string;
  readonly user: string;
  readonly schema: z.ZodType<T>;
  /** `num_predict`, in tokens. */
  readonly maxTokens: number;
}

export interface ClientOptions {
  readonly settings: OllamaSettings;
  readonly spending: Spending;
  readonly seed: number;
  readonly signal?: AbortSignal;
  /** Maximum time for one attempt. */
  readonly callTimeoutMs?: number;
  readonly onNote?: (line: string) => void;
}

/**
 * Milliseconds. Reading a prompt is slow without an accelerator: 120 s were too few for a model of
 * 1.5 billion parameters on two busy cores.
 */
const DEFAULT_CALL_TIMEOUT_MS = 300_000;
const LOOKUP_TIMEOUT_MS = 5_000;
/** Tokens that a chat template adds around messages, with a margin for the estimate. */
const TEMPLATE_TOKENS = 64;

/** The text of one attempt and why it ended. */
interface Said {
  readonly text: string;
  readonly doneReason: string;
}

/** Asks a model on Ollama. */
export class ModelClient {
  readonly #options: ClientOptions;
  #facts: ModelFacts | undefined;
  #structured = true;

  constructor(options: ClientOptions) {
    this.#options = options;
  }

  /** Whether the server accepted the JSON schema; otherwise the prompt contains it. */
  get structuredOutput(): boolean {
    return this.#structured;
  }

  /** The result of the last look-up. */
  get knownFacts(): ModelFacts | undefined {
    return this.#facts;
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

  /** The context length of the loaded model; null when the server does not report it. */
  async loadedContextTokens(): Promise<number | null> {
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

  /** How many tokens a user message may take beside `system` and the answer. */
  roomFor(system: string, maxTokens: number): number {
    const trained = this.#facts?.trainedContextTokens ?? Number.POSITIVE_INFINITY;
    const context = Math.min(this.#options.settings.contextTokens, trained);
    return Math.max(0, context - maxTokens - TEMPLATE_TOKENS - estimateTokens(system));
  }

  /** Asks, and on an unusable answer asks once more with what was wrong. Throws ModelFailure. */
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
    const { spending, settings, seed, callTimeoutMs = DEFAULT_CALL_TIMEOUT_MS } = this.#options;
    const facts = await this.facts();
    const leftMs = spending.requireRoom();
    const timeoutMs = Math.max(1, Math.min(callTimeoutMs, leftMs));
    const timeout = AbortSignal.timeout(timeoutMs);
    const leave = new AbortController();
    const schema = z.toJSONSchema(question.schema);
    const request = {
      model: settings.model,
      messages: this.#structured ? messages : withSchema(messages, schema),
      stream: true as const,
      keep_alive: "30m",
      ...(this.#structured ? { format: schema } : {}),
      ...(facts.capabilities.includes("thinking") ? { think: false } : {}),
      options: {
        num_ctx: settings.contextTokens,
        num_predict: Math.min(question.maxTokens, spending.tokensLeft()),
        temperature: attempt === 0 ? 0 : 0.4,
        seed: (seed + attempt) >>> 0,
        ...(attempt === 0 ? {} : { repeat_penalty: 1.2 }),
      },
    };
    const started = performance.now();
    let prompt = 0;
    let completion = 0;
    let said = "";
    let refusedSchema = false;
    try {
      for await (const part of await this.#ollama(AbortSignal.any([timeout, leave.signal])).chat(
        request,
      )) {
        said += part.message.content;
        if (part.done) {
          prompt = part.prompt_eval_count ?? 0;
          completion = part.eval_count ?? 0;
          return { text: said, doneReason: part.done_reason };
        }
        if (isLooping(said)) {
          throw new ModelFailure("repetition", JSON.stringify(said.slice(-60)));
        }
      }
      throw new ModelFailure("cut-off", `after ${said.length} characters`);
    } catch (error) {
      if (this.#structured && isSchemaComplaint(error)) {
        this.#structured = false;
        refusedSchema = true;
        this.#options.onNote?.("the server takes no JSON schema for this model; asking in words");
        return await this.#say(question, messages, attempt);
      }
      throw this.#failure(error, timeout.aborted ? timeoutMs : undefined);
    } finally {
      // The server stops only when the connection closes; the client's iterator keeps it open.
      leave.abort();
      // An attempt that ended early reports no counts. They are estimated, so that the budget
      // holds.
      const sent = messages.reduce((sum, { content }) => sum + estimateTokens(content), 0);
      if (!refusedSchema) {
        spending.add({
          modelMs: performance.now() - started,
          promptTokens: prompt > 0 ? prompt : sent,
          completionTokens: completion > 0 ? completion : estimateTokens(said),
        });
      }
    }
  }

  #ollama(timeout: AbortSignal): Ollama {
    const { settings, signal } = this.#options;
    const limit = signal === undefined ? timeout : AbortSignal.any([timeout, signal]);
    return new Ollama({ host: settings.host, fetch: boundFetch(limit) });
  }

  /** Turns an error into a ModelFailure. An abort by the caller is passed on unchanged. */
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

function isSchemaComplaint(error: unknown): boolean {
  const status = (error as { status_code?: number }).status_code;
  return status !== undefined && status !== 404 && /format|schema|grammar/i.test(messageOf(error));
}

function withSchema(messages: readonly Message[], schema: object): Message[] {
  const [system, ...rest] = messages;
  const told = `${system?.content ?? ""}\nAnswer with one JSON object that fits this JSON schema, and nothing else:\n${JSON.stringify(schema)}`;
  return [{ role: "system", content: told }, ...rest];
}

/**
 * The fetch that the client uses, with a size limit. It throws on errors and broken lines of the
 * stream; the client by itself prints both to standard output and continues.
 */
function boundFetch(limit: AbortSignal): typeof fetch {
  const bound = async (input: string | URL | Request, init?: RequestInit): Promise<Response> => {
    const own = init?.signal;
    const signal = own ? AbortSignal.any([limit, own]) : limit;
    const response = await fetch(input, { ...init, signal });
    if (!response.ok) {
      const text = await response.text();
      const said = findJsonObject(text)?.["error"] ?? (text.slice(0, 300) || response.statusText);
      return Response.json({ error: said }, { status: response.status });
    }
    if (response.body === null || !response.headers.get("content-type")?.includes("ndjson")) {
      return response;
    }
    return new Response(response.body.pipeThrough(strictLines()), { headers: response.headers });
  };
  return bound as typeof fetch;
}

/** Passes a stream of JSON lines on. Throws at the first line that is not JSON. */
function strictLines(): TransformStream<Uint8Array, Uint8Array> {
  const decoder = new TextDecoder();
  const encoder = new TextEncoder();
  let rest = "";
  return new TransformStream<Uint8Array, Uint8Array>({
    transform(chunk, controller) {
      const lines = (rest + decoder.decode(chunk, { stream: true })).split("\n");
      rest = lines.pop() ?? "";
      for (const line of lines) {
        if (line.trim() === "") continue;
        if (findJsonObject(line) === undefined) {
          throw new ModelFailure(
            "cut-off",
            `a line of the stream is no JSON: ${line.slice(0, 80)}`,
          );
        }
        controller.enqueue(encoder.encode(`${line}\n`));
      }
    },
    flush() {
      if (rest.trim() !== "") {
        throw new ModelFailure("cut-off", `the stream ends within a line: ${rest.slice(0, 80)}`);
      }
    },
  });
}
