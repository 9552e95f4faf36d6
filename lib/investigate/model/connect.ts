/** Chooses the server of a model: Ollama, or an endpoint in OpenAI's wire format. */
import { type Env, integerBetween, readEnv } from "../../base/env.ts";
import { UsageError } from "../../base/errors.ts";
import type { InvestigationInput } from "../investigator.ts";
import type { Spending } from "./budget.ts";
import type { ChatModel } from "./chat.ts";
import { OllamaChat } from "./ollama-chat.ts";
import { type EndpointSettings, OpenAiChat } from "./openai-chat.ts";
import { ollamaSettings } from "./settings.ts";

/**
 * Context of a conversation with tools, in tokens: 6,000 of results, the instructions, and the
 * model's own text.
 */
const CONVERSATION_TOKENS = 16_384;

export interface ServerChoice {
  readonly env: Env;
  /** Absent: `OLLAMA_MODEL`, else the default. */
  readonly model?: string;
  /** Base URL of an endpoint; absent: Ollama at `OLLAMA_HOST`. */
  readonly url?: string;
  /** Maximum time for one answer of the model, milliseconds. */
  readonly callTimeoutMs?: number;
}

export interface ModelServer {
  readonly model: string;
  readonly connect: (input: InvestigationInput, spending: Spending) => ChatModel;
}

/** Throws UsageError for a bad URL, host or model. */
export function connectTo({ env, model, url, callTimeoutMs }: ServerChoice): ModelServer {
  const ollama = {
    ...ollamaSettings(env, model),
    contextTokens: readEnv(
      env,
      "OLLAMA_CONTEXT_LENGTH",
      CONVERSATION_TOKENS,
      integerBetween(2048, 1_048_576, "tokens"),
    ),
  };
  const limit = callTimeoutMs === undefined ? {} : { callTimeoutMs };
  const endpoint = url === undefined ? undefined : endpointAt(url, ollama.model, env);
  return {
    model: ollama.model,
    connect: ({ seed, signal, transcript }, spending) => {
      const shared = {
        spending,
        seed,
        ...limit,
        ...(signal === undefined ? {} : { signal }),
        onNote: (line: string) => transcript.note(line),
      };
      return endpoint === undefined
        ? new OllamaChat({ ...shared, settings: ollama })
        : new OpenAiChat({ ...shared, settings: endpoint });
    },
  };
}

/** The settings of an endpoint; `MODEL_API_KEY` is its key. */
export function endpointAt(url: string, model: string, env: Env): EndpointSettings {
  const parsed = URL.canParse(url) ? new URL(url) : undefined;
  if (parsed === undefined || !/^https?:$/.test(parsed.protocol)) {
    throw new UsageError(
      `Cannot use the model's endpoint ${JSON.stringify(url)}: it must be an http(s) URL such as http://127.0.0.1:11434/v1`,
    );
  }
  const key = env["MODEL_API_KEY"];
  return {
    url: url.replace(/\/+$/, ""),
    model,
    contextTokens: readEnv(
      env,
      "MODEL_CONTEXT_LENGTH",
      CONVERSATION_TOKENS,
      integerBetween(2048, 1_048_576, "tokens"),
    ),
    ...(key === undefined || key === "" ? {} : { key }),
  };
}
