/** Floors: answers without any reasoning. Every investigator has to beat them. */
import {
  type Answer,
  answerOf,
  type EvidenceRecord,
  type SingleFaultAnswer,
} from "../contract/answer.ts";
import { factsOf } from "../contract/citation.ts";
import type { ServiceName } from "../contract/topology.ts";
import { isServiceName } from "../contract/topology.ts";
import type { Investigation, Investigator } from "./investigator.ts";
import { toolsetFor } from "./toolbox.ts";

const blank: Pick<SingleFaultAnswer, "onset" | "causal_chain" | "evidence" | "alternatives"> = {
  onset: null,
  causal_chain: [],
  evidence: [],
  alternatives: [],
};

/** Always the same answer, whatever the alert. */
export const constant: Investigator = {
  name: "constant",
  investigate: async ({ transcript }) => {
    transcript.phase("Reading alert");
    transcript.phase("Investigation complete", "the same as ever");
    return Promise.resolve(
      finished(
        answerOf({
          ...blank,
          culprit: "track-fusion",
          fault_class: "process_exited",
          mechanism: "It is always the service in the middle.",
          remediation: {
            action: "restart_service",
            target: "track-fusion",
            parameters: {},
            prose: "Restart it.",
          },
          confidence: 0.5,
        }),
        [],
        0,
      ),
    );
  },
};

/** The service of the alert, with the class that its loudest metric suggests. */
export const loudest: Investigator = {
  name: "loudest",
  investigate: async (input) => {
    const startedMs = performance.now();
    const { alert, transcript } = input;
    const tools = toolsetFor(input);
    transcript.phase("Reading alert", alert.title);
    transcript.phase("Gathering evidence", "compare");
    const culprit: ServiceName = alert.pipeline_name;
    const record = await tools.call("compare", { service: culprit });
    const loud = factsOf(record).find(({ when }) => when === "during");
    transcript.phase("Investigation complete");
    const evidence = loud === undefined ? [] : [citationOf(record.id, loud)];
    return finished(
      answerOf({
        ...blank,
        culprit,
        fault_class: "unknown",
        mechanism: `${loud?.signal ?? "Nothing"} changed most.`,
        evidence,
        remediation: {
          action: "restart_service",
          target: culprit,
          parameters: {},
          prose: "Restart it.",
        },
        confidence: 0.5,
      }),
      tools.records,
      performance.now() - startedMs,
    );
  },
};

function citationOf(
  callId: string,
  { signal, service, value }: { signal: string; service: string | null; value: number | string },
) {
  return {
    call_id: callId,
    signal,
    service: service !== null && isServiceName(service) ? service : null,
    value,
    claim: `${signal} changed most`,
  };
}

/** Wraps an answer of an investigator that uses no model. */
export function finished(
  answer: Answer,
  evidence: readonly EvidenceRecord[],
  wallMs: number,
): Investigation {
  return {
    outcome: { kind: "answered", answer },
    evidence,
    cost: {
      wallMs: Math.round(wallMs),
      modelMs: 0,
      rounds: evidence.length === 0 ? 0 : 1,
      toolCalls: evidence.length,
      modelCalls: 0,
      promptTokens: 0,
      completionTokens: 0,
    },
    struckCitations: 0,
    details: {},
  };
}
