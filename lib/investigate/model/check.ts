/**
 * Checks for `doctor` whether a model is available and its context is sufficient for an
 * investigation.
 */
import { type Env, processEnv } from "../../base/env.ts";
import { messageOf } from "../../base/errors.ts";
import { z } from "zod";
import { Spending } from "./budget.ts";
import { OllamaConnection } from "./connection.ts";
import { endpointAt } from "./connect.ts";
import { type OllamaSettings, ollamaSettings } from "./settings.ts";

/** The result of one check. */
export interface Finding {
  readonly what: string;
  readonly ok: boolean;
  readonly detail: string;
}

/** The instructions, the table and the report need at least this many tokens. */
const MIN_CONTEXT_TOKENS = 4096;

/** Checks the settings, the server, the model and its context, in this order. Never throws. */
export async function checkOllama(env: Env = processEnv(), model?: string): Promise<Finding[]> {
  let settings: OllamaSettings;
  try {
    settings = ollamaSettings(env, model);
  } catch (error) {
    return [{ what: "Ollama's settings", ok: false, detail: messageOf(error) }];
  }
  const connection = new OllamaConnection({
    settings,
    spending: new Spending({ wallMs: 10_000, rounds: 1, tokens: 1 }),
    seed: 0,
  });
  const what = `the model ${settings.model} on Ollama at ${settings.host}`;
  try {
    const facts = await connection.facts();
    const { trainedContextTokens: trained } = facts;
    const context = Math.min(settings.contextTokens, trained ?? settings.contextTokens);
    return [
      {
        what,
        ok: true,
        detail: `${facts.parameterSize} ${facts.quantization}, Ollama ${facts.serverVersion}`,
      },
      {
        what: "the model's context",
        ok: context >= MIN_CONTEXT_TOKENS,
        detail: `${context} tokens (asked for ${settings.contextTokens}, trained for ${trained ?? "an unknown length"}); at least ${MIN_CONTEXT_TOKENS} are needed`,
      },
    ];
  } catch (error) {
    return [{ what, ok: false, detail: messageOf(error) }];
  }
}

const LOOKUP_TIMEOUT_MS = 5_000;
const ModelsSchema = z.object({ data: z.array(z.object({ id: z.string() })) });

/** Checks the endpoint at `url`, or Ollama without one. Never throws. */
export async function checkModel(
  url?: string,
  env: Env = processEnv(),
  model?: string,
): Promise<Finding[]> {
  return url === undefined ? checkOllama(env, model) : [await checkEndpoint(url, env, model)];
}

async function checkEndpoint(url: string, env: Env, named?: string): Promise<Finding> {
  const what = `the model's endpoint ${url}`;
  try {
    const { model } = ollamaSettings(env, named);
    const settings = endpointAt(url, model, env);
    const { key } = settings;
    const response = await fetch(`${settings.url}/models`, {
      headers: key === undefined ? {} : { authorization: `Bearer ${key}` },
      signal: AbortSignal.timeout(LOOKUP_TIMEOUT_MS),
    });
    if (!response.ok) return { what, ok: false, detail: `GET /models: HTTP ${response.status}` };
    const parsed = ModelsSchema.safeParse(await response.json().catch(() => undefined));
    if (!parsed.success) return { what, ok: false, detail: "GET /models answered no list" };
    const ids = parsed.data.data.map(({ id }) => id);
    const ok = ids.includes(model);
    const others = ids.slice(0, 10).join(", ") || "no model";
    return { what, ok, detail: ok ? `serves ${model}` : `no ${model}; it serves ${others}` };
  } catch (error) {
    return { what, ok: false, detail: messageOf(error) };
  }
}
