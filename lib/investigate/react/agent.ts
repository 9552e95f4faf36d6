/**
 * `react:<model>`: the plain agent for comparing models. The model calls the common tools, at most
 * a fixed number of times, and submits an answer. Its reasoning is not checked or corrected, and it
 * gets no knowledge of faults beyond the catalogue.
 *
 * `alone:<model>` is the same agent without tools.
 */
import { describeFaults } from "../../contract/answer.ts";
import { Examination } from "../external/examination.ts";
import type {
  Investigation,
  InvestigationInput,
  InvestigationOutcome,
  Investigator,
} from "../investigator.ts";
import { Spending } from "../model/budget.ts";
import type { ChatModel } from "../model/chat.ts";
import { ModelFailure } from "../model/failure.ts";
import { toolsetFor } from "../toolbox.ts";
import type { Toolset } from "../tools/toolset.ts";
import { Conversation } from "./conversation.ts";

export const DEFAULT_CALLS = 10;
/** With more calls each result would be cut to a few words. */
export const MAX_CALLS = 40;
const MAX_REASON = 600;

export interface ReactOptions {
  readonly name: string;
  /** Maximum number of tool calls; 0 for an agent without tools. */
  readonly calls: number;
  /** Connects to the model for one investigation. */
  readonly connect: (input: InvestigationInput, spending: Spending) => ChatModel;
  /** The tools of one investigation; absent: those of the lab. */
  readonly tools?: (input: InvestigationInput) => Toolset;
}

export function createReactInvestigator(options: ReactOptions): Investigator {
  return { name: options.name, investigate: (input) => investigate(input, options) };
}

async function investigate(
  input: InvestigationInput,
  { calls, connect, tools: toolsOf = toolsetFor }: ReactOptions,
): Promise<Investigation> {
  const { transcript, alert } = input;
  transcript.phase("Reading alert", `${alert.alert_name} (${alert.severity})`);
  const spending = new Spending(input.budget);
  const tools = toolsOf(input);
  const examination = new Examination(input, tools);
  const model = connect(input, spending);
  const conversation = new Conversation({ input, examination, model, calls });
  const outcome = await outcomeOf(conversation, examination, input);
  const shown =
    outcome.kind === "answered" ? describeFaults(outcome.answer.faults) : outcome.reason;
  transcript.phase("Investigation complete", shown);
  return {
    outcome,
    evidence: tools.records,
    cost: {
      ...spending.cost(tools.records.length),
      rounds: conversation.turns,
    },
    struckCitations: examination.struck,
    details: { ...(await model.details()), ...conversation.details() },
  };
}

async function outcomeOf(
  conversation: Conversation,
  examination: Examination,
  { transcript, signal }: InvestigationInput,
): Promise<InvestigationOutcome> {
  try {
    await conversation.run();
  } catch (error) {
    signal?.throwIfAborted();
    if (!(error instanceof ModelFailure)) throw error;
    transcript.note(error.message);
    return failed(examination, `${error.kind}: ${error.message}`);
  }
  const { answer } = examination;
  if (answer !== undefined) return { kind: "answered", answer };
  return failed(examination, `no answer: ${conversation.lastComplaint ?? "it handed in none"}`);
}

/** A failure keeps the confidence of an answer that was returned with complaints. */
function failed({ statedConfidence }: Examination, reason: string): InvestigationOutcome {
  return {
    kind: "agent-failure",
    reason: reason.slice(0, MAX_REASON),
    ...(statedConfidence === undefined ? {} : { confidence: statedConfidence }),
  };
}
