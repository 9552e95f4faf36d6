/**
 * `assisted:<model>`: a model on Ollama chooses from closed lists, the rule book tests its choice,
 * and the model chooses again; see README.md. Its results depend more on the rules than on the
 * model; `assisted:random` shows how much.
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
import type { Chooser } from "./chooser.ts";
import { RandomChooser } from "./random-chooser.ts";
import { ModelClient } from "../model/client.ts";
import { ModelFailure } from "../model/failure.ts";
import { Session } from "./session.ts";
import { ollamaSettings } from "../model/settings.ts";
import type { Toolbox } from "../toolbox.ts";

export interface AssistedOptions {
  /** Model, or `random` for random choices; absent: `OLLAMA_MODEL`, else the default. */
  readonly model?: string;
  readonly env?: Env;
  /** Ablation: if false, values from before the incident are not shown. */
  readonly contrast?: boolean;
  /** Ablation: if false, the first choice is final. */
  readonly refutation?: boolean;
  /** Maximum time for one answer of the model, milliseconds. */
  readonly callTimeoutMs?: number;
  /** Creates the tools of one investigation. */
  readonly toolbox: (input: InvestigationInput) => Toolbox;
  readonly clock?: Clock;
}

/** The model name for random choices. */
const RANDOM = "random";

/** Creates the investigator. Throws UsageError for an invalid host or model. */
export function createAssistedInvestigator(options: AssistedOptions): Investigator {
  const ablated = [
    ...(options.contrast === false ? ["no-contrast"] : []),
    ...(options.refutation === false ? ["no-refutation"] : []),
  ];
  const chooser = chooserOf(options);
  return {
    name: [`assisted:${chooser.name}`, ...ablated].join("+"),
    investigate: (input) => investigate(input, chooser.create, options),
  };
}

type CreateChooser = (input: InvestigationInput, spending: Spending) => Chooser;

function chooserOf({ model, env = processEnv(), callTimeoutMs }: AssistedOptions): {
  name: string;
  create: CreateChooser;
} {
  if (model === RANDOM) return { name: RANDOM, create: ({ seed }) => new RandomChooser(seed) };
  const settings = ollamaSettings(env, model);
  return {
    name: settings.model,
    create: ({ seed, signal, transcript }, spending) =>
      new ModelClient({
        settings,
        spending,
        seed,
        onNote: (line) => transcript.note(line),
        ...(signal === undefined ? {} : { signal }),
        ...(callTimeoutMs === undefined ? {} : { callTimeoutMs }),
      }),
  };
}

async function investigate(
  input: InvestigationInput,
  createChooser: CreateChooser,
  options: AssistedOptions,
): Promise<Investigation> {
  const { transcript } = input;
  const { contrast = true, refutation = true } = options;
  const clock = input.clock ?? options.clock ?? systemClock;
  transcript.phase("Reading alert", `${input.alert.alert_name} (${input.alert.severity})`);
  const spending = new Spending(input.budget);
  const client = createChooser(input, spending);
  const tools = options.toolbox(input);
  const nowMs = clock.nowMs();
  const session = new Session({ input, client, spending, tools, contrast, refutation, nowMs });
  const outcome = await outcomeOf(session, client, input);
  const cost = spending.cost(tools.records.length);
  const shown =
    outcome.kind === "answered" ? describeFaults(outcome.answer.faults) : outcome.reason;
  transcript.phase("Investigation complete", shown);
  return {
    outcome,
    evidence: tools.records,
    cost,
    struckCitations: session.struck,
    details: { ...(await client.details()), contrast, refutation, ...session.details() },
  };
}

async function outcomeOf(
  session: Session,
  client: Chooser,
  { transcript, signal }: InvestigationInput,
): Promise<InvestigationOutcome> {
  try {
    transcript.phase("Loading integrations", await client.open());
    return { kind: "answered", answer: AnswerSchema.parse(await session.run()) };
  } catch (error) {
    signal?.throwIfAborted();
    if (!(error instanceof ModelFailure)) throw error;
    transcript.note(error.message);
    return { kind: "agent-failure", reason: `${error.kind}: ${error.message}` };
  }
}
