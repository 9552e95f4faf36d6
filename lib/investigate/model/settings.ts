/** The Ollama server and model, from the command line and the environment. */
import { type Env, integerBetween, readEnv } from "../../base/env.ts";
import { UsageError } from "../../base/errors.ts";

/** The default model, of the size for which the lab is made. */
export const DEFAULT_MODEL = "qwen2.5:7b";

/** Ollama's default address. */
export const DEFAULT_HOST = "http://127.0.0.1:11434";

/** Default context: instructions, evidence and answer must fit. */
export const CONTEXT_TOKENS = 8192;

export interface OllamaSettings {
  /** Base URL without a slash at its end. */
  readonly host: string;
  readonly model: string;
  /** `num_ctx` of every request, in tokens. */
  readonly contextTokens: number;
}

/** `name`, `name:tag` or `registry/user/name:tag`, as in Ollama. */
const MODEL_NAME = /^[a-z0-9][\w.-]*(\/[a-z0-9][\w.-]*)*(:[\w][\w.-]*)?$/i;

/**
 * Reads the settings. `model` (from the command line) has priority over `OLLAMA_MODEL`, which has
 * priority over the default.
 *
 * Throws UsageError that names the variable, the rule and the value.
 */
export function ollamaSettings(env: Env, model?: string): OllamaSettings {
  const fromEnv = readEnv(env, "OLLAMA_MODEL", DEFAULT_MODEL, (text, reject) =>
    MODEL_NAME.test(text) ? text : reject("a model's name such as qwen2.5:7b"),
  );
  if (model !== undefined && !MODEL_NAME.test(model)) {
    throw new UsageError(
      `Cannot use the investigator ollama:${model}: the model must be a name such as qwen2.5:7b, but is ${JSON.stringify(model)}`,
    );
  }
  return {
    host: readEnv(env, "OLLAMA_HOST", DEFAULT_HOST, parseHost),
    model: model ?? fromEnv,
    contextTokens: readEnv(
      env,
      "OLLAMA_CONTEXT_LENGTH",
      CONTEXT_TOKENS,
      integerBetween(2048, 1_048_576, "tokens"),
    ),
  };
}

/**
 * Parses a host like Ollama: scheme and port are optional, and `0.0.0.0`, the address that a server
 * binds to, becomes the loopback address.
 */
function parseHost(text: string, reject: (rule: string) => never): string {
  const rule = "host, host:port or an http(s) URL with a port from 1 to 65535";
  const withScheme = text.includes("://") ? text : `http://${text.replace(/^:/, "127.0.0.1:")}`;
  if (!URL.canParse(withScheme)) return reject(rule);
  const url = new URL(withScheme);
  if (!/^https?:$/.test(url.protocol) || url.hostname === "" || url.port === "0") {
    return reject(rule);
  }
  if (url.hostname === "0.0.0.0") url.hostname = "127.0.0.1";
  if (url.hostname === "[::]") url.hostname = "[::1]";
  // URL drops the scheme's default port. Without a scheme the default is Ollama's port.
  const bare = !text.includes("://");
  const port = url.port === "" && bare ? (text.endsWith(":80") ? ":80" : ":11434") : "";
  return `${url.protocol}//${url.host}${port}${url.pathname.replace(/\/+$/, "")}`;
}
