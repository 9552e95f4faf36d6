/** Common parts of every examination of an external agent: doors, time limit and cost. */
import { EnvironmentError, messageOf } from "../../base/errors.ts";
import { type Answer, describeFaults } from "../../contract/answer.ts";
import type { Investigation, InvestigationInput, InvestigationOutcome } from "../investigator.ts";
import { toolsetFor } from "../toolbox.ts";
import { type Doors, openDoors } from "./doors.ts";
import { Examination } from "./examination.ts";

/** Runs an agent. Resolves with the reason when it ended without an accepted answer. */
export type Conduct = (
  examination: Examination,
  doors: Doors,
  signal: AbortSignal,
) => Promise<string>;

export interface ConductOptions {
  /** Port of the doors; 0 for a free one. */
  readonly port?: number;
  /** Time for the whole investigation; absent: the budget's. */
  readonly wallMs?: number;
  /** Details of the agent, once it has ended. */
  readonly details?: () => Readonly<Record<string, unknown>>;
}

/** Runs an examination until an answer is accepted, the agent gives up, or the time is over. */
export async function conduct(
  input: InvestigationInput,
  agent: Conduct,
  { port = 0, wallMs = input.budget.wallMs, details = () => ({}) }: ConductOptions = {},
): Promise<Investigation> {
  const started = performance.now();
  const tools = toolsetFor(input);
  const examination = new Examination(input, tools);
  input.transcript.phase("Reading alert", `${input.alert.alert_name} (${input.alert.severity})`);
  await using doors = openDoors(examination, input, port);
  const timeout = AbortSignal.timeout(wallMs);
  const ended = new AbortController();
  const signals = [timeout, ended.signal, ...(input.signal === undefined ? [] : [input.signal])];
  const running = blamed(() => agent(examination, doors, AbortSignal.any(signals)));
  const outcome = await Promise.race([
    examination.accepted.then(answered),
    running.then((reason) =>
      examination.answer === undefined ? failed(reason) : answered(examination.answer),
    ),
    aborted(timeout).then(() => failed(`the ${wallMs / 1000} s of the investigation are over`)),
    ...(input.signal === undefined ? [] : [aborted(input.signal).then(() => failed("stopped"))]),
  ]);
  ended.abort();
  // The agent's processes must have ended before it is judged.
  await running;
  input.signal?.throwIfAborted();
  const { statedConfidence } = examination;
  const shown =
    outcome.kind === "answered" ? describeFaults(outcome.answer.faults) : outcome.reason;
  input.transcript.phase("Investigation complete", shown);
  return {
    outcome:
      outcome.kind === "answered" || statedConfidence === undefined
        ? outcome
        : { ...outcome, confidence: statedConfidence },
    evidence: tools.records,
    cost: {
      wallMs: performance.now() - started,
      modelMs: 0,
      rounds: 1,
      toolCalls: tools.records.length,
      modelCalls: 0,
      promptTokens: 0,
      completionTokens: 0,
    },
    struckCitations: examination.struck,
    details: {
      calls: examination.calls,
      telemetry_reads: doors.reads(),
      refused_requests: doors.refused(),
      ...details(),
    },
  };
}

/**
 * Counts every error during an agent's examination as the agent's failure, because an agent that
 * could void a run would not be charged for it. Only missing requirements of this machine are
 * excluded.
 */
async function blamed(agent: () => Promise<string>): Promise<string> {
  try {
    return await agent();
  } catch (error) {
    if (error instanceof EnvironmentError) throw error;
    return `the examination of this agent broke: ${messageOf(error)}`;
  }
}

const answered = (answer: Answer): InvestigationOutcome => ({ kind: "answered", answer });
const failed = (reason: string): InvestigationOutcome => ({ kind: "agent-failure", reason });

function aborted(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve();
  return new Promise((resolve) =>
    signal.addEventListener("abort", () => resolve(), { once: true }),
  );
}
