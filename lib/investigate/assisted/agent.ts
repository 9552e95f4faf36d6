/**
 * The investigator that asks a model on Ollama. The tools show the model what changed, the model
 * chooses from closed lists, the tools refute, and the model chooses again; see README.md.
 */
import { type Clock, systemClock } from "../../base/clock.ts";
import { type Env, processEnv } from "../../base/env.ts";
import { AnswerSchema, describeFaults } from "../../contract/answer.ts";
import type {
  Investigation,
  InvestigationInput,
  InvestigationOutcome,
  Investigator,
} from "../investigator.ts";
import { Spending } from "../model/budget.ts";
import { ModelClient } from "../model/client.ts";
import { ModelFailure } from "../model/failure.ts";
import { Session } from "./session.ts";
import { type OllamaSettings, ollamaSettings } from "../model/settings.ts";
import type { Toolbox } from "../toolbox.ts";

export interface AssistedOptions {
  /** Model; absent: `OLLAMA_MODEL`, else the default. */
  readonly model?: string;
  readonly env?: Env;
  /** Ablation: without it the values before the incident are not shown. */
  readonly contrast?: boolean;
  /** Ablation: without it the first choice stands. */
  readonly refutation?: boolean;
  /** Maximum time for one answer of the model, milliseconds. */
  readonly callTimeoutMs?: number;
  /** Makes the tools of one investigation. */
  readonly toolbox: (input: InvestigationInput) => Toolbox;
  readonly clock?: Clock;
}

/** Creates the investigator. Throws UsageError for an invalid host or model. */
export function createAssistedInvestigator(options: AssistedOptions): Investigator {
  const settings = ollamaSettings(options.env ?? processEnv(), options.model);
  const ablated = [
    ...(options.contrast === false ? ["no-contrast"] : []),
    ...(options.refutation === false ? ["no-refutation"] : []),
  ];
  return {
    name: [`assisted:${settings.model}`, ...ablated].join("+"),
    investigate: (input) => investigate(input, settings, options),
  };
}

async function investigate(
  input: InvestigationInput,
  settings: OllamaSettings,
  options: AssistedOptions,
): Promise<Investigation> {
  const { transcript, signal } = input;
  const { contrast = true, refutation = true, callTimeoutMs } = options;
  const clock = input.clock ?? options.clock ?? systemClock;
  transcript.phase("Reading alert", `${input.alert.alert_name} (${input.alert.severity})`);
  const spending = new Spending(input.budget);
  const client = new ModelClient({
    settings,
    spending,
    seed: input.seed,
    onNote: (line) => transcript.note(line),
    ...(signal === undefined ? {} : { signal }),
    ...(callTimeoutMs === undefined ? {} : { callTimeoutMs }),
  });
  const tools = options.toolbox(input);
  const nowMs = clock.nowMs();
  const session = new Session({
    input,
    client,
    spending,
    tools,
    contrast,
    refutation,
    nowMs,
  });
  const outcome = await outcomeOf(session, client, input, settings);
  const cost = spending.cost(tools.records.length);
  const shown =
    outcome.kind === "answered" ? describeFaults(outcome.answer.faults) : outcome.reason;
  transcript.phase("Investigation complete", shown);
  return {
    outcome,
    evidence: tools.records,
    cost,
    struckCitations: session.struck,
    details: {
      ...(await modelDetails(client, settings)),
      contrast,
      refutation,
      ...session.details(),
    },
  };
}

async function outcomeOf(
  session: Session,
  client: ModelClient,
  { transcript, signal }: InvestigationInput,
  settings: OllamaSettings,
): Promise<InvestigationOutcome> {
  try {
    const facts = await client.facts();
    const trained = facts.trainedContextTokens ?? "unknown";
    transcript.phase(
      "Loading integrations",
      `${settings.model} ${facts.parameterSize} ${facts.quantization} on Ollama ${facts.serverVersion}, context ${settings.contextTokens} of ${trained}`,
    );
    return { kind: "answered", answer: AnswerSchema.parse(await session.run()) };
  } catch (error) {
    signal?.throwIfAborted();
    if (!(error instanceof ModelFailure)) throw error;
    transcript.note(error.message);
    return { kind: "agent-failure", reason: `${error.kind}: ${error.message}` };
  }
}

async function modelDetails(
  client: ModelClient,
  settings: OllamaSettings,
): Promise<Record<string, unknown>> {
  const asked = { host: settings.host, model: settings.model, num_ctx: settings.contextTokens };
  if (client.knownFacts === undefined) return asked;
  return {
    ...asked,
    ...client.knownFacts,
    effective_context_tokens: await client.loadedContextTokens(),
    structured_output: client.structuredOutput,
  };
}
