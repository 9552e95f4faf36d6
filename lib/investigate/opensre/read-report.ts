/**
 * Converts a root-cause analysis in prose into an `Answer`, by the names in it and their order. It
 * adds nothing, and ignores what the analysis denies or repeats from the alert.
 */
import type { Alert } from "../../contract/alert.ts";
import {
  type Answer,
  answerOf,
  type Citation,
  type EvidenceRecord,
} from "../../contract/answer.ts";
import { type Fact, factsOf } from "../../contract/citation.ts";
import {
  FAULT_CLASS_NAMES,
  type FaultClass,
  type Remediation,
  REMEDIATIONS,
} from "../../contract/fault-classes.ts";
import { CONTAINER_METRICS, LOGS, METRICS } from "../../contract/telemetry.ts";
import { SERVICES, type ServiceName } from "../../contract/topology.ts";
import { FAULTS } from "../faults/registry.ts";
import { firstAsserted, withoutRestatement } from "./prose.ts";

/** What an agent wrote. */
export interface Report {
  readonly rootCause: string;
  readonly report: string;
  /** Whether it calls the alert noise. */
  readonly isNoise: boolean;
  /** The alert that its author was given. */
  readonly alert: Alert;
  /** The stated confidence, 0 to 1, if it is not part of the prose. */
  readonly confidence?: number | undefined;
}

export interface ReadReport {
  readonly answer: Answer;
  /** Signals that it mentions but did not read. */
  readonly unread: readonly string[];
}

const MAX_CITATIONS = 24;
/** The confidence of an agent that states none. */
const UNSTATED_CONFIDENCE = 0.5;

/** Words for each remediation, the narrower ones first. */
const ACTIONS: readonly (readonly [Remediation, RegExp])[] = [
  ["correct_qos_profile", /\bqos\b/i],
  [
    "raise_cpu_quota",
    /(cpu|processor)[^.]{0,40}(quota|limit|resource)|(quota|limit)[^.]{0,20}cpu/i,
  ],
  ["fix_leak_and_redeploy", /(fix|patch)[^.]{0,40}leak/i],
  ["raise_memory_limit", /(raise|increase)[^.]{0,40}memory/i],
  ["restore_network", /(restore|reattach|reconnect|check|fix)[^.]{0,40}(network|connectivity)/i],
  ["reduce_publish_rate", /(reduce|lower|limit|throttle|reset)[^.]{0,40}(rate|publish|frequency)/i],
  ["start_service", /\bstart(ing)? (the |up )?[\w-]*/i],
  ["restart_service", /\brestart/i],
  ["scale_consumer", /\bscale\b/i],
  ["correct_configuration", /(correct|fix|review|revert)[^.]{0,30}configur/i],
  ["no_action", /no action/i],
];

/** Reads a report; `records` are the calls that its author made. */
export function readReport(report: Report, records: readonly EvidenceRecord[]): ReadReport {
  const { isNoise } = report;
  const rootCause = withoutRestatement(report.rootCause, report.alert);
  const text = `${rootCause}\n${withoutRestatement(report.report, report.alert)}`;
  const faultClass = isNoise ? "none" : (firstOf(rootCause) ?? firstOf(text) ?? "unknown");
  const culprit = faultClass === "none" ? null : (firstService(rootCause) ?? firstService(text));
  const { citations, unread } = citationsIn(text, records);
  const action = actionIn(text, faultClass);
  return {
    unread,
    answer: answerOf({
      culprit,
      fault_class: faultClass,
      mechanism: (report.rootCause.trim() === "" ? report.report : report.rootCause)
        .trim()
        .slice(0, 2000),
      onset: null,
      causal_chain: [],
      evidence: citations,
      remediation: {
        action,
        target: action === "no_action" ? null : culprit,
        parameters: {},
        prose: REMEDIATIONS[action],
      },
      confidence: report.confidence ?? confidenceIn(text),
      alternatives: [],
    }),
  };
}

/** The class whose words come first in a text without being denied. */
function firstOf(text: string): FaultClass | undefined {
  const found = FAULT_CLASS_NAMES.flatMap((name) => {
    const at = firstAsserted(text, FAULTS[name].words);
    return at === undefined ? [] : [{ name, at }];
  });
  return found.toSorted((a, b) => a.at - b.at)[0]?.name;
}

function firstService(text: string): ServiceName | null {
  const found = SERVICES.flatMap((name) => {
    const at = firstAsserted(text, new RegExp(name.replace("-", "[- _]?"), "i"));
    return at === undefined ? [] : [{ name, at }];
  });
  return found.toSorted((a, b) => a.at - b.at)[0]?.name ?? null;
}

/** The action in the recommendation, which is the last part of a report. */
function actionIn(text: string, faultClass: FaultClass | "unknown"): Remediation {
  if (faultClass === "none") return "no_action";
  const advice = /(recommend|remediat|next step|action|mitigat)[\s\S]*$/i.exec(text)?.[0] ?? "";
  return (
    ACTIONS.find(([, words]) => firstAsserted(advice, words) !== undefined)?.[0] ??
    "gather_more_evidence"
  );
}

function confidenceIn(text: string): number {
  const stated = /(?:confidence|validity)[^\d%]{0,30}(\d{1,3})(?:\.\d+)?\s*%/i.exec(text)?.[1];
  return stated === undefined ? UNSTATED_CONFIDENCE : Math.min(100, Number(stated)) / 100;
}

/** The declared names in the text: as citations if they were read, else as `unread`. */
function citationsIn(
  text: string,
  records: readonly EvidenceRecord[],
): { citations: Citation[]; unread: string[] } {
  const declared = [
    ...Object.keys(METRICS),
    ...Object.keys(CONTAINER_METRICS),
    ...Object.keys(LOGS),
  ];
  const citations: Citation[] = [];
  const unread: string[] = [];
  for (const signal of declared.filter((name) => text.includes(name))) {
    const read = factOf(signal, records);
    if (read === undefined) unread.push(signal);
    else citations.push(citationOf(read.callId, read.fact));
  }
  return { citations: citations.slice(0, MAX_CITATIONS), unread };
}

function factOf(
  signal: string,
  records: readonly EvidenceRecord[],
): { callId: string; fact: Fact } | undefined {
  for (const record of records) {
    const fact = factsOf(record).find((candidate) => candidate.signal === signal);
    if (fact !== undefined) return { callId: record.id, fact };
  }
  return undefined;
}

function citationOf(callId: string, { signal, service, value }: Fact): Citation {
  const known = SERVICES.find((name) => name === service) ?? null;
  const shown = typeof value === "string" ? value.slice(0, 300) : value;
  return { call_id: callId, signal, service: known, value: shown, claim: `${signal} is named` };
}
