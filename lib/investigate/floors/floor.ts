/** Shared by the floors: makes an answer from a service and a class. */
import { type Answer, answerOf, type Citation, type Culprit } from "../../contract/answer.ts";
import {
  FAULT_CLASSES,
  type FaultClass,
  REMEDIATIONS,
  type Remediation,
} from "../../contract/fault-classes.ts";
import { finished } from "../finished.ts";
import type { Investigation, InvestigationInput, Investigator } from "../investigator.ts";
import { toolsetFor } from "../toolbox.ts";
import type { Toolset } from "../tools/toolset.ts";

export interface Guess {
  readonly culprit: Culprit | null;
  readonly faultClass: FaultClass;
  readonly mechanism: string;
  readonly confidence: number;
  /** Absent: the first remedy of the class. */
  readonly action?: Remediation;
  readonly evidence?: readonly Citation[];
  readonly details?: Readonly<Record<string, unknown>>;
}

type Guesser = (input: InvestigationInput, tools: Toolset) => Guess | Promise<Guess>;

export interface FloorOptions {
  /** The tools of one investigation; absent: those of the lab. */
  readonly tools?: (input: InvestigationInput) => Toolset;
}

/** An investigator that does not reason. */
export function createFloor(
  name: string,
  guess: Guesser,
  { tools: toolsOf = toolsetFor }: FloorOptions = {},
): Investigator {
  return {
    name,
    investigate: async (input) => {
      const startedMs = performance.now();
      const tools = toolsOf(input);
      input.transcript.phase("Reading alert", input.alert.title);
      const guessed = await guess(input, tools);
      input.transcript.phase("Investigation complete", guessed.mechanism);
      return investigationOf(guessed, tools, performance.now() - startedMs);
    },
  };
}

function investigationOf(
  { details = {}, ...guess }: Guess,
  tools: Toolset,
  wallMs: number,
): Investigation {
  return finished({ answer: answerTo(guess), evidence: tools.records, wallMs, details });
}

function answerTo({
  culprit,
  faultClass,
  mechanism,
  confidence,
  evidence = [],
  action = FAULT_CLASSES[faultClass].remedies[0],
}: Guess): Answer {
  return answerOf({
    culprit,
    fault_class: faultClass,
    mechanism,
    onset: null,
    causal_chain: [],
    evidence: [...evidence],
    remediation: {
      action,
      target: action === "no_action" ? null : culprit,
      parameters: {},
      prose: REMEDIATIONS[action],
    },
    confidence,
    alternatives: [],
  });
}
