/** The answer of an investigator, and the records of its tool calls. */
import { z } from "zod";
import { FAULT_CLASS_NAMES, REMEDIATION_NAMES, REMEDY_PARAMETERS_TEXT } from "./fault-classes.ts";
import { SERVICES } from "./topology.ts";

/** Possible culprits: a service, the machine that all share, or the telemetry system. */
export const CULPRITS = [...SERVICES, "host", "telemetry"] as const;
export type Culprit = (typeof CULPRITS)[number];

/** Maximum number of faults that an answer names. */
export const MAX_FAULTS = 3;

const service = z.enum(SERVICES);
const culprit = z.enum(CULPRITS);
const faultClass = z.enum([...FAULT_CLASS_NAMES, "unknown"] as const);

/** A claim and the recorded call that shows it. */
export const CitationSchema = z.strictObject({
  /** Id of a recorded call, such as `E3`. */
  call_id: z.string().max(32),
  /** Exact name of the metric, log event, span or state. */
  signal: z.string().max(200),
  /** The service that the value belongs to; null for a value of the whole system. */
  service: service.nullable(),
  /** The value as it was read; the recorded answer must contain it. */
  value: z.union([z.number(), z.string().max(300)]),
  /** What the value shows, as a sentence. */
  claim: z.string().max(500),
});
export type Citation = z.infer<typeof CitationSchema>;

export const RemedySchema = z.strictObject({
  action: z.enum(REMEDIATION_NAMES),
  target: culprit.nullable(),
  /** Parameters for carrying out the action; `REMEDY_PARAMETERS` defines those of each action. */
  parameters: z
    .record(z.string(), z.union([z.string(), z.number()]))
    .describe(REMEDY_PARAMETERS_TEXT),
  prose: z.string().max(2000),
});
export type Remedy = z.infer<typeof RemedySchema>;

/** One fault of an answer. */
export const NamedFaultSchema = z.strictObject({
  /** The culprit; null when it is not known. */
  culprit: culprit.nullable(),
  /** `unknown` is an abstention. An answer that nothing is wrong has no faults. */
  fault_class: faultClass.exclude(["none"]),
  remediation: RemedySchema,
});
export type NamedFault = z.infer<typeof NamedFaultSchema>;

export const CausalChainSchema = z
  .array(z.strictObject({ service, effect: z.string().max(500) }))
  .max(12);

export const AlternativesSchema = z
  .array(
    z.strictObject({
      service: culprit.nullable(),
      fault_class: faultClass,
      ruled_out_by: z.string().max(500),
    }),
  )
  .max(12);

/** The shape of a structured root-cause analysis. */
export const AnswerShape = z.strictObject({
  /** All faults; empty when nothing is wrong. */
  faults: z.array(NamedFaultSchema).max(MAX_FAULTS),
  /** How the faults led to the alert, in a sentence or two. */
  mechanism: z.string().max(2000),
  /** Time at which the first fault began, ISO 8601; null when not known. */
  onset: z.iso.datetime({ offset: true }).nullable(),
  /** From the cause to the alert. */
  causal_chain: CausalChainSchema,
  evidence: z.array(CitationSchema).max(24),
  /** Probability that the named faults are exactly the real ones, 0 to 1. */
  confidence: z.number().min(0).max(1),
  alternatives: AlternativesSchema,
});
export type Answer = z.infer<typeof AnswerShape>;

/** Parses an answer in this shape or in its single-fault form. */
export const AnswerSchema = z.preprocess(asSet, AnswerShape);

/** The single-fault form of an answer. Class `none` means that nothing is wrong. */
export type SingleFaultAnswer = Omit<Answer, "faults"> & {
  readonly culprit: Culprit | null;
  readonly fault_class: z.infer<typeof faultClass>;
  readonly remediation: Remedy;
};

/** The answer that names one fault, or none. */
export function answerOf({
  culprit: named,
  fault_class,
  remediation,
  ...rest
}: SingleFaultAnswer): Answer {
  const faults = fault_class === "none" ? [] : [{ culprit: named, fault_class, remediation }];
  return { faults, ...rest };
}

/**
 * Normalises a possible answer: converts the single-fault form into a set, removes `none` and
 * duplicates. Returns everything else unchanged.
 */
export function asSet(raw: unknown): unknown {
  if (!isObject(raw)) return raw;
  if (!("faults" in raw)) {
    if (!("fault_class" in raw) && !("culprit" in raw)) return raw;
    const { culprit: named, fault_class, remediation, ...rest } = raw;
    return asSet({ faults: [{ culprit: named, fault_class, remediation }], ...rest });
  }
  if (!Array.isArray(raw["faults"])) return raw;
  const faults = new Map<string, unknown>();
  for (const fault of raw["faults"] as unknown[]) {
    if (isObject(fault) && fault["fault_class"] === "none") continue;
    const key = isObject(fault)
      ? JSON.stringify([fault["culprit"], fault["fault_class"]])
      : JSON.stringify(fault);
    if (!faults.has(key)) faults.set(key, fault);
  }
  return { ...raw, faults: [...faults.values()] };
}

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/** Whether an answer names at least one fault and all of them are `unknown`. */
export const isAbstention = (faults: readonly Pick<NamedFault, "fault_class">[]): boolean =>
  faults.length > 0 && faults.every(({ fault_class }) => fault_class === "unknown");

/** The faults in a few words, such as `esm-sensor, qos_mismatch`. */
export function describeFaults(
  faults: readonly Pick<NamedFault, "culprit" | "fault_class">[],
): string {
  if (faults.length === 0) return "nothing is wrong";
  return faults
    .map(({ culprit: named, fault_class }) => `${named ?? "no service"}, ${fault_class}`)
    .join("; ");
}

/** One tool call of an investigator with its complete answer: a line of `evidence.jsonl`. */
export const EvidenceRecordSchema = z.strictObject({
  id: z.string(),
  tool: z.string(),
  arguments: z.record(z.string(), z.unknown()),
  /** The HTTP requests, so that a person can repeat them. */
  request: z.array(z.strictObject({ method: z.string(), url: z.string() })),
  /** The queried time span, Unix milliseconds. */
  window: z.strictObject({ start_unix_ms: z.number(), end_unix_ms: z.number() }).nullable(),
  asked_unix_ms: z.number(),
  duration_ms: z.number(),
  ok: z.boolean(),
  /** The full answer, or the full error. */
  answer: z.string(),
});
export type EvidenceRecord = z.infer<typeof EvidenceRecordSchema>;

/** What an investigation cost. Tokens are 0 without a model. */
export interface InvestigationCost {
  readonly wallMs: number;
  /** Part of `wallMs` in which the investigator waited for the model. */
  readonly modelMs: number;
  readonly rounds: number;
  readonly toolCalls: number;
  readonly modelCalls: number;
  readonly promptTokens: number;
  readonly completionTokens: number;
}
