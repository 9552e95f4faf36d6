/** Common parts of every examination of an external agent: server, time limit and cost. */
import { type Answer, describeFaults } from "../../contract/answer.ts";
import type { Investigation, InvestigationInput, InvestigationOutcome } from "../investigator.ts";
import { toolsetFor } from "../toolbox.ts";
import { Examination } from "./examination.ts";
import { serveTools, type ToolServer } from "./tool-server.ts";

/** Runs an agent. Resolves with the reason when it ended without an accepted answer. */
export type Conduct = (
  examination: Examination,
  server: ToolServer,
  signal: AbortSignal,
) => Promise<string>;

export interface ConductOptions {
  /** Port of the tools; 0 for a free one. */
  readonly port?: number;
  /** Time for the whole investigation; absent: the budget's. */
  readonly wallMs?: number;
}

/** Runs an examination until an answer is accepted, the agent gives up, or the time is over. */
export async function conduct(
  input: InvestigationInput,
  agent: Conduct,
  { port = 0, wallMs = input.budget.wallMs }: ConductOptions = {},
): Promise<Investigation> {
  const started = performance.now();
  const tools = toolsetFor(input);
  const examination = new Examination(input, tools);
  input.transcript.phase("Reading alert", `${input.alert.alert_name} (${input.alert.severity})`);
  await using server = serveTools(examination, port);
  const timeout = AbortSignal.timeout(wallMs);
  const ended = new AbortController();
  const signals = [timeout, ended.signal, ...(input.signal === undefined ? [] : [input.signal])];
  const outcome = await Promise.race([
    examination.accepted.then(answered),
    agent(examination, server, AbortSignal.any(signals)).then((reason) =>
      examination.answer === undefined ? failed(reason) : answered(examination.answer),
    ),
    aborted(timeout).then(() => failed(`the ${wallMs / 1000} s of the investigation are over`)),
    ...(input.signal === undefined ? [] : [aborted(input.signal).then(() => failed("stopped"))]),
  ]);
  ended.abort();
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
    details: { calls: examination.calls },
  };
}

const answered = (answer: Answer): InvestigationOutcome => ({ kind: "answered", answer });
const failed = (reason: string): InvestigationOutcome => ({ kind: "agent-failure", reason });

function aborted(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve();
  return new Promise((resolve) =>
    signal.addEventListener("abort", () => resolve(), { once: true }),
  );
}
