/** Checks for `doctor` whether Ollama, the model and its context suffice for an investigation. */
import { type Env, processEnv } from "../../base/env.ts";
import { messageOf } from "../../base/errors.ts";
import { Spending } from "./budget.ts";
import { ModelClient } from "./client.ts";
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
  const client = new ModelClient({
    settings,
    spending: new Spending({ wallMs: 10_000, rounds: 1, tokens: 1 }),
    seed: 0,
  });
  const what = `the model ${settings.model} on Ollama at ${settings.host}`;
  try {
    const facts = await client.facts();
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
